// A small random Llama in a GGUF file with weights of any type, for tests that need more than the golden models: heads of 64 values (so
// that every KV type works) and rows of 256 (so that every weight type does). It has no tokenizer.
//
// Types that cannot be packed get random levels below a scale that suits them. With `is_widened` the file holds the same numbers in F32.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "atelier/format/gguf_writer.h"
#include "atelier/quant/quant.h"

namespace atelier::testing {

inline constexpr int64_t kTinyVocabulary = 96;

// `count` values of standard deviation 0.15 or so, around `mean`.
inline std::vector<uint8_t> random_weights(DType dtype, int64_t count, float mean, std::mt19937& generator) {
  std::vector<uint8_t> bytes(static_cast<size_t>(row_bytes(dtype, count)));
  if (!quant::can_pack(dtype)) {
    const float scale = 0.15f / (dtype == DType::kIQ4_XS ? 1200 : 60);  // of levels up to 127, and of their blocks' scales up to 32
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(generator());
    for (size_t i = 0; i < bytes.size(); i += static_cast<size_t>(dtype_info(dtype).block_bytes)) {
      quant::from_f32(DType::kF16, &scale, bytes.data() + i, 1);
    }
    return bytes;
  }
  std::normal_distribution<float> normal(0, 0.15f);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = mean + normal(generator);
  quant::from_f32(dtype, values.data(), bytes.data(), count);
  return bytes;
}

inline std::vector<uint8_t> widened(DType dtype, const std::vector<uint8_t>& bytes, int64_t count) {
  std::vector<uint8_t> out(static_cast<size_t>(count) * sizeof(float));
  quant::to_f32(dtype, bytes.data(), reinterpret_cast<float*>(out.data()), count);
  return out;
}

inline void write_tiny_llama(const std::string& path, DType dtype, uint32_t seed = 1, bool is_widened = false) {
  constexpr int64_t kWidth = 256, kKvWidth = 128;
  constexpr uint32_t kLayers = 2;
  format::GgufMetadata metadata;
  metadata.set_string("general.architecture", "llama");
  metadata.set_uint32("llama.block_count", kLayers);
  metadata.set_uint32("llama.context_length", 1024);
  metadata.set_uint32("llama.embedding_length", kWidth);
  metadata.set_uint32("llama.feed_forward_length", kWidth);
  metadata.set_uint32("llama.attention.head_count", 4);
  metadata.set_uint32("llama.attention.head_count_kv", 2);
  std::vector<format::TensorInfo> tensors = {{"token_embd.weight", dtype, {kTinyVocabulary, kWidth}}};
  for (uint32_t layer = 0; layer < kLayers; ++layer) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    for (const char* norm : {"attn_norm", "ffn_norm"}) tensors.push_back({block + norm + ".weight", DType::kF32, {kWidth}});
    for (const char* matrix : {"attn_q", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}) {
      tensors.push_back({block + matrix + ".weight", dtype, {kWidth, kWidth}});
    }
    for (const char* matrix : {"attn_k", "attn_v"}) tensors.push_back({block + matrix + ".weight", dtype, {kKvWidth, kWidth}});
  }
  tensors.push_back({"output_norm.weight", DType::kF32, {kWidth}});

  std::vector<format::TensorInfo> stored = tensors;
  for (format::TensorInfo& tensor : stored) tensor.dtype = is_widened ? DType::kF32 : tensor.dtype;
  std::mt19937 generator(seed);
  auto writer = format::create_gguf(path, metadata, stored);
  ASSERT_TRUE(writer.ok()) << writer.status().message();
  for (const format::TensorInfo& tensor : tensors) {
    int64_t count = 1;
    for (const int64_t dim : tensor.shape) count *= dim;
    std::vector<uint8_t> bytes = random_weights(tensor.dtype, count, tensor.shape.size() == 1 ? 1.0f : 0.0f, generator);
    if (is_widened) bytes = widened(tensor.dtype, bytes, count);
    ASSERT_TRUE((*writer)->write(bytes.data(), static_cast<int64_t>(bytes.size())).ok());
  }
  ASSERT_TRUE((*writer)->finish().ok());
}

}  // namespace atelier::testing
