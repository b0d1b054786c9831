// A small random Llama in a GGUF file with weights of any type, for tests that need more than the golden models: heads of 64 values (so
// that every KV type works) and rows of 256 (so that every weight type does). It has no tokenizer.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "atelier/format/gguf_writer.h"
#include "atelier/quant/quant.h"

namespace atelier::testing {

inline constexpr int64_t kTinyVocabulary = 96;

inline void write_tiny_llama(const std::string& path, DType dtype, uint32_t seed = 1) {
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

  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, 0.15f);
  auto writer = format::create_gguf(path, metadata, tensors);
  ASSERT_TRUE(writer.ok()) << writer.status().message();
  for (const format::TensorInfo& tensor : tensors) {
    int64_t count = 1;
    for (const int64_t dim : tensor.shape) count *= dim;
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = tensor.shape.size() == 1 ? 1 + normal(generator) : normal(generator);
    std::vector<uint8_t> bytes(static_cast<size_t>(row_bytes(tensor.dtype, count)));
    quant::from_f32(tensor.dtype, values.data(), bytes.data(), count);
    ASSERT_TRUE((*writer)->write(bytes.data(), static_cast<int64_t>(bytes.size())).ok());
  }
  ASSERT_TRUE((*writer)->finish().ok());
}

}  // namespace atelier::testing
