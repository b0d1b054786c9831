// Linear layers of one ISA, for every weight type: decode some outputs' weights, then multiply all rows with them.
#pragma once

#include "atelier/kernels/simd/gemm_f32.h"
#include "atelier/kernels/simd/gemm_int8_tiles.h"
#include "atelier/kernels/simd/gemv_int8.h"
#include "atelier/kernels/simd/panel.h"

namespace atelier::kernels {

template <class S>
struct LinearKernels {
  using F = typename S::F;
  using I = typename S::I;

  static constexpr int64_t kLanes = S::kLanes;

  static void linear_f32(const FloatRows& x, const OutputBlock& block, void* scratch) {
    switch (block.dtype) {
      case DType::kF32:
        multiply_floats(x, reinterpret_cast<const float*>(block.w), block, 0, block.N);
        break;
      case DType::kF16:
      case DType::kBF16:
        linear_half(x, block, static_cast<float*>(scratch));
        break;
      default:
        with_decoder(block.dtype, FloatBody{x, block, static_cast<uint8_t*>(scratch)});
        break;
    }
  }

  static void linear_int8(const QuantizedRows& x, const OutputBlock& block, void* scratch) {
    with_decoder(block.dtype, Int8Body{x, block, static_cast<uint8_t*>(scratch)});
  }

  // Rows [begin, end) of a tile of quant/tiles.h as float32 [end - begin, K]: the values of quant::to_f32.
  static void widen_tile(DType dtype, const uint8_t* tile, int64_t begin, int64_t end, int64_t K, float* out, void* scratch) {
    const OutputBlock block{.dtype = dtype, .w = tile, .row_bytes = row_bytes(dtype, K), .N = quant::kTileRows};
    with_decoder(dtype, WidenBody{block, begin, end, K, out, static_cast<uint8_t*>(scratch)});
  }

  // Per block of 32: scale = amax / 127 and the nearest integers; a block with a NaN gets a NaN for its scale.
  static void quantize_rows(const FloatRows& x, const QuantizedRows& out, int64_t row_begin, int64_t row_end) {
    const int64_t blocks = x.K / kQuantBlock;
    for (int64_t t = row_begin; t < row_end; ++t) {
      for (int64_t b = 0; b < blocks; ++b) {
        const int64_t i = t * blocks + b;
        quantize_block(x.x + t * x.ldx + b * kQuantBlock, out, i);
      }
    }
  }

 private:
  // Calls body.template run<Decoder>() for a block format.
  template <class Body>
  static void with_decoder(DType dtype, const Body& body) {
    switch (dtype) {
      case DType::kQ4_0:
        return body.template run<Q4_0<S>>();
      case DType::kQ4_1:
        return body.template run<Q4_1<S>>();
      case DType::kQ5_0:
        return body.template run<Q5_0<S>>();
      case DType::kQ5_1:
        return body.template run<Q5_1<S>>();
      case DType::kQ8_0:
        return body.template run<Q8_0<S>>();
      case DType::kQ2_K:
        return body.template run<Q2_K<S>>();
      case DType::kQ3_K:
        return body.template run<Q3_K<S>>();
      case DType::kQ4_K:
        return body.template run<Q4_K<S>>();
      case DType::kQ5_K:
        return body.template run<Q5_K<S>>();
      case DType::kQ6_K:
        return body.template run<Q6_K<S>>();
      case DType::kIQ4_NL:
        return body.template run<IQ4_NL<S>>();
      case DType::kIQ4_XS:
        return body.template run<IQ4_XS<S>>();
      case DType::kNF4:
        return body.template run<NF4<S, Body::kIsFloat>>();
      default:
        return;  // no other type is quantized
    }
  }

  // Room for one panel of `count` inputs, of any group size; advances `memory` past it.
  static Panel<S> take_panel(uint8_t*& memory, int64_t count) {
    Panel<S> panel;
    panel.quants = memory;
    panel.scales = reinterpret_cast<float*>(memory + count * kLanes);
    panel.mins = panel.scales + count / 16 * kLanes;
    memory += count * kLanes + count / 16 * kLanes * 2 * static_cast<int64_t>(sizeof(float));
    return panel;
  }

  // Decodes inputs [first, first + count) of outputs n .. n + kLanes - 1. Outputs beyond the block's last tile repeat that tile.
  template <class Decoder, int kTakenOff = 0>
  static void decode_panel(const OutputBlock& block, int64_t K, int64_t n, int64_t first, int64_t count, const Panel<S>& panel) {
    const int64_t last_tile = (block.N - 1) / quant::kTileRows;
    const int64_t tile = n / quant::kTileRows < last_tile ? n / quant::kTileRows : last_tile;
    TileReader<S, Decoder::kWords, Decoder::kHasHalf> in(block.w + tile * quant::kTileRows * block.row_bytes, K / Decoder::kBlock,
                                                         first / Decoder::kBlock, n % quant::kTileRows);
    PanelWriter<S, kTakenOff> out(panel);
    for (int64_t i = 0; i < count; i += Decoder::kBlock) {
      in.prefetch(0, 1);
      Decoder::decode(in, out);
      in.advance();
    }
  }

  struct Int8Body {
    static constexpr bool kIsFloat = false;
    const QuantizedRows& x;
    const OutputBlock& block;
    uint8_t* scratch;

    template <class Decoder>
    void run() const {
      using Form = typename Decoder::Form;
      if (x.T == 1) return multiply_row<S, Decoder>(x, block);
      if constexpr (S::kHasTiles) {
        if (x.T >= GemmInt8Tiles<S, Form>::kFewest) return products<GemmInt8Tiles<S, Form>, Decoder, Form::kZero>();
      }
      products<GemmInt8<S, Form>, Decoder, 0>();
    }

    // kTakenOff: of the quants in Gemm's panels.
    template <class Gemm, class Decoder, int kTakenOff>
    void products() const {
      uint8_t* memory = scratch;
      const Panel<S> panels[2] = {take_panel(memory, kInt8Chunk), take_panel(memory, kInt8Chunk)};
      for (int64_t n = 0; n < block.N; n += 2 * kLanes) {
        for (int64_t k = 0; k < x.K; k += kInt8Chunk) {
          const int64_t count = x.K - k < kInt8Chunk ? x.K - k : kInt8Chunk;
          decode_panel<Decoder, kTakenOff>(block, x.K, n, k, count, panels[0]);
          decode_panel<Decoder, kTakenOff>(block, x.K, n + kLanes, k, count, panels[1]);
          Gemm::multiply(x, panels, {k, count}, block, n, ahead<Gemm>(n, k, count));
        }
      }
    }

    // What is decoded after inputs [k, k + count) of outputs n .. n + 2 * kLanes - 1: their next chunk, or the first of the outputs behind.
    template <class Gemm>
    typename Gemm::Ahead ahead(int64_t n, int64_t k, int64_t count) const {
      const bool is_last = k + count == x.K;
      const int64_t next_n = is_last ? n + 2 * kLanes : n, next_k = is_last ? 0 : k + count;
      const int64_t next_count = x.K - next_k < kInt8Chunk ? x.K - next_k : kInt8Chunk;
      const int64_t tile_bytes = quant::kTileRows * block.row_bytes;
      const uint8_t* first = block.w + next_n / quant::kTileRows * tile_bytes + next_k * tile_bytes / x.K;
      const uint8_t* second = block.w + (next_n + kLanes) / quant::kTileRows * tile_bytes + next_k * tile_bytes / x.K;
      return {first, second, next_count * tile_bytes / x.K, Gemm::num_steps(x.T, count)};
    }
  };

  struct FloatBody {
    static constexpr bool kIsFloat = true;
    const FloatRows& x;
    const OutputBlock& block;
    uint8_t* scratch;

    template <class Decoder>
    void run() const {
      uint8_t* memory = scratch;
      const Panel<S> panel = take_panel(memory, x.K);
      float* w = reinterpret_cast<float*>(memory);
      for (int64_t n = 0; n < block.N; n += kLanes) {
        decode_panel<Decoder>(block, x.K, n, 0, x.K, panel);
        widen_panel<typename Decoder::Form>(panel, x.K, w);
        multiply_floats(x, w, block, n, block.N - n < kLanes ? block.N - n : kLanes);
      }
    }
  };

  struct WidenBody {
    static constexpr bool kIsFloat = true;
    const OutputBlock& block;
    int64_t begin, end, K;
    float* out;
    uint8_t* scratch;

    template <class Decoder>
    void run() const {
      uint8_t* memory = scratch;
      const Panel<S> panel = take_panel(memory, K);
      float* some = reinterpret_cast<float*>(memory);
      for (int64_t n = begin / kLanes * kLanes; n < end; n += kLanes) {
        const bool is_whole = n >= begin && n + kLanes <= end;
        float* w = is_whole ? out + (n - begin) * K : some;
        decode_panel<Decoder>(block, K, n, 0, K, panel);
        widen_panel<typename Decoder::Form>(panel, K, w);
        for (int64_t r = 0; r < kLanes && !is_whole; ++r) {
          if (n + r >= begin && n + r < end) copy(w + r * K, out + (n + r - begin) * K, K);
        }
      }
    }
  };

  // A panel as kLanes rows of K floats.
  template <class Form>
  static void widen_panel(const Panel<S>& panel, int64_t K, float* w) {
    alignas(64) uint8_t quants[kLanes * 16];
    for (int64_t k = 0; k < K; k += 16) {
      I vectors[4];
      for (int j = 0; j < 4; ++j) vectors[j] = S::load_bytes(panel.quants + k * kLanes + j * 4 * kLanes);
      S::scatter16(vectors, quants, 16);
      const int64_t group = k / Form::kGroup * kLanes;
      for (int64_t r = 0; r < kLanes; ++r) {
        const F scale = S::set1(panel.scales[group + r]);
        for (int i = 0; i < 16; i += kLanes) {
          const uint8_t* q = quants + r * 16 + i;
          if constexpr (Form::kHasLevels) {
            S::store(w + r * K + k + i, S::mul(S::lookup_f32(quant::kNormalFloatLevels, q), scale));
          } else if constexpr (Form::kHasMins) {
            S::store(w + r * K + k + i, S::add(S::mul(S::load_u8(q), scale), S::set1(panel.mins[group + r])));
          } else {
            S::store(w + r * K + k + i, S::mul(S::sub(S::load_u8(q), S::set1(Form::kZero)), scale));
          }
        }
      }
    }
  }

  // Float16 or bfloat16 weights: kLanes rows at a time as float32, or for one row of x on their way into the product.
  static void linear_half(const FloatRows& x, const OutputBlock& block, float* w) {
    if (x.T == 1) {
      const auto* half = reinterpret_cast<const uint16_t*>(block.w);
      if (block.dtype == DType::kBF16) GemmF32<S>::template multiply_row<HalfWeights<S, true>>(x.x, half, x.K, x.K, block.N, block.y);
      if (block.dtype == DType::kF16) GemmF32<S>::template multiply_row<HalfWeights<S, false>>(x.x, half, x.K, x.K, block.N, block.y);
      return add_bias(block, 1, 0, block.N);
    }
    for (int64_t n = 0; n < block.N; n += kLanes) {
      const int64_t count = block.N - n < kLanes ? block.N - n : kLanes;
      for (int64_t r = 0; r < count; ++r) {
        widen(block.dtype, reinterpret_cast<const uint16_t*>(block.w + (n + r) * block.row_bytes), w + r * x.K, x.K);
      }
      multiply_floats(x, w, block, n, count);
    }
  }

 public:
  static void copy(const float* src, float* dst, int64_t count) {
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) S::store(dst + i, S::load(src + i));
    for (; i < count; ++i) dst[i] = src[i];
  }
  static void widen(DType dtype, const uint16_t* src, float* dst, int64_t count) {
    const bool is_bf16 = dtype == DType::kBF16;
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) S::store(dst + i, is_bf16 ? S::load_bf16(src + i) : S::load_f16(src + i));
    if (i == count) return;
    uint16_t rest[kLanes] = {};
    for (int64_t j = i; j < count; ++j) rest[j - i] = src[j];
    S::store_partial(dst + i, is_bf16 ? S::load_bf16(rest) : S::load_f16(rest), static_cast<int>(count - i));
  }

 private:
  // Outputs n .. n + count - 1 of the block from float rows `w` [count, K].
  static void multiply_floats(const FloatRows& x, const float* w, const OutputBlock& block, int64_t n, int64_t count) {
    GemmF32<S>::multiply(x.x, x.ldx, x.T, w, x.K, x.K, count, block.y + n, block.ldy);
    add_bias(block, x.T, n, count);
  }

  static void add_bias(const OutputBlock& block, int64_t T, int64_t n, int64_t count) {
    if (!block.bias) return;
    for (int64_t t = 0; t < T; ++t) {
      float* y = block.y + t * block.ldy + n;
      for (int64_t i = 0; i < count; ++i) y[i] += block.bias[n + i];
    }
  }

  // Block i of all rows from its 32 floats.
  static void quantize_block(const float* x, const QuantizedRows& out, int64_t i) {
    constexpr int kVectors = kQuantBlock / kLanes;
    F v[kVectors];
    // As integers, the bits of magnitudes compare as the magnitudes do, with NaN above all.
    I largest_bits = S::zero_int();
    const I magnitude = S::set1_int(0x7fffffff);
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      v[j] = S::load(x + j * kLanes);
      largest_bits = S::max_int(largest_bits, S::bit_and(S::bits(v[j]), magnitude));
    }
    const float largest = S::lane0(S::as_float(S::set1_int(S::largest(largest_bits))));
    const F inverse = S::set1(largest > kSmallestScaled ? 127.0f / largest : 0.0f);
    I sums[2] = {S::zero_int(), S::zero_int()};
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      const I rounded = S::to_int(S::mul(v[j], inverse));
      S::store_i8(out.q + i * kQuantBlock + j * kLanes, rounded);
      sums[j * 2 / kVectors] = S::add_int(sums[j * 2 / kVectors], rounded);
    }
    const int32_t first = S::sum(sums[0]), second = S::sum(sums[1]);
    const float scale = largest / 127.0f;
    out.scale[i] = scale;
    out.sum16[2 * i] = first;
    out.sum16[2 * i + 1] = second;
    out.sum32[i] = static_cast<int32_t>(static_cast<uint32_t>(first) + static_cast<uint32_t>(second));
    out.offset16[2 * i] = scale * static_cast<float>(first);
    out.offset16[2 * i + 1] = scale * static_cast<float>(second);
    out.offset32[i] = scale * static_cast<float>(out.sum32[i]);
  }
};

}  // namespace atelier::kernels
