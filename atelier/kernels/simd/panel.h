// Weights of any block format, decoded into one form that both products (int8 and float32) read.
//
// A panel holds kLanes consecutive weight rows (outputs), interleaved so that a vector meets four inputs of all of them at once:
//
//   quants  [K / 32][8][kLanes][4]   bytes; weight row r, input 32 b + 4 j + i is at [b][j][r][i]
//   scales  [K / kGroup][kLanes]     float32
//   mins    [K / kGroup][kLanes]     float32; w = scale * quant + min, or scale * quant for signed quants
//
// Decoding works on all rows of the panel at once: the four bytes of a weight row that GGUF keeps together fall into one lane (the
// layouts never split them), so that a transposition of 16 raw bytes per row replaces that of 32 decoded ones, and the packed scales
// of the K types are unpacked for all rows by the same few shifts. The float values are those of quant::to_f32, bit for bit: products
// with a quant are exact in float32, and where a min is subtracted it is by the same single rounding.
//
// Layouts: docs/formats/quantization.md.
#pragma once

#include "atelier/kernels/table.h"

namespace atelier::kernels {

template <class S>
struct Panel {
  uint8_t* quants;
  float* scales;
  float* mins;
};

// How a format's panel is to be read.
template <int kMaxQuant, int kGroupSize>
struct PanelForm {
  static constexpr int kMax = kMaxQuant;     // quants are in [0, kMax] with a min; 0: signed bytes without
  static constexpr int kGroup = kGroupSize;  // inputs that share a scale
  static constexpr bool kSigned = kMaxQuant == 0;
};

// Stores quants, scales and mins of a panel in ascending order of inputs. With each group's scale it asks for as many bytes of what is
// read next, from `next` on, as a group takes: rows are short, and the processor's own prefetching starts anew at each.
template <class S>
class PanelWriter {
 public:
  using F = typename S::F;
  using I = typename S::I;

  PanelWriter(const Panel<S>& panel, const uint8_t* next, int64_t group_bytes) : panel_(panel), next_(next), group_bytes_(group_bytes) {}

  void quants(I a) {
    S::store_bytes(panel_.quants, a);
    panel_.quants += 4 * S::kLanes;
  }
  void scale(F a) {
    S::store(panel_.scales, a);
    panel_.scales += S::kLanes;
    constexpr int64_t kCacheLine = 64;
    for (int64_t i = 0; i < group_bytes_; i += kCacheLine) S::prefetch(next_ + i);
    next_ += group_bytes_;
  }
  void min(F a) {
    S::store(panel_.mins, a);
    panel_.mins += S::kLanes;
  }

 private:
  Panel<S> panel_;
  const uint8_t* next_;
  int64_t group_bytes_;
};

// The low and the high nibble of every byte.
template <class S>
typename S::I low_nibbles(typename S::I a) {
  return S::bit_and(a, S::set1_byte(15));
}
template <class S>
typename S::I high_nibbles(typename S::I a) {
  return low_nibbles<S>(S::shift_right(a, 4));
}

// Byte i of every lane as a float.
template <class S>
typename S::F unsigned_byte(typename S::I a, int i) {
  return S::from_int(S::bit_and(S::shift_right(a, 8 * i), S::set1_int(255)));
}
template <class S>
typename S::F signed_byte(typename S::I a, int i) {
  return S::from_int(S::shift_right_signed(S::shift_left(a, 24 - 8 * i), 24));
}

template <class S>
typename S::F half_at(const uint8_t* const* rows, int64_t offset) {
  return S::half_to_float(S::gather_u16(rows, offset));
}

// Blocks of 32 with one scale: 16 bytes of nibbles, low ones first, at kNibbles of a block; kHighBits of 5-bit types or -1.
template <class S, int kBytes, int kMin, int kHighBits, int kNibbles>
struct SmallBlockDecoder {
  using F = typename S::F;
  using I = typename S::I;
  using Form = PanelForm < kHighBits<0 ? 15 : 31, 32>;

  static void decode(const uint8_t* const* rows, int64_t K, PanelWriter<S> out) {
    for (int64_t at = 0; at < K / 32 * kBytes; at += kBytes) {
      write_scale(rows, at, out);
      I raw[4];
      S::gather16(rows, at + kNibbles, raw);
      if constexpr (kHighBits < 0) {
        for (int j = 0; j < 4; ++j) out.quants(low_nibbles<S>(raw[j]));
        for (int j = 0; j < 4; ++j) out.quants(high_nibbles<S>(raw[j]));
      } else {
        const I high = S::gather_u32(rows, at + kHighBits);
        for (int j = 0; j < 4; ++j) out.quants(S::bit_or(low_nibbles<S>(raw[j]), fifth_bits(high, 4 * j)));
        for (int j = 0; j < 4; ++j) out.quants(S::bit_or(high_nibbles<S>(raw[j]), fifth_bits(high, 16 + 4 * j)));
      }
    }
  }

 private:
  // A min in the file (kMin >= 0: Q4_1, Q5_1), or the middle of the range as zero (Q4_0, Q5_0).
  static void write_scale(const uint8_t* const* rows, int64_t at, PanelWriter<S>& out) {
    if constexpr (kMin >= 0) {
      const I both = S::gather_u32(rows, at);
      out.scale(S::half_to_float(both));
      out.min(S::half_to_float(S::shift_right(both, 16)));
    } else {
      const F d = half_at<S>(rows, at);
      out.scale(d);
      out.min(S::mul(d, S::set1(-(Form::kMax + 1) / 2)));
    }
  }
  static I fifth_bits(I high, int first) { return S::bit_and(S::spread_bits(high, first), S::set1_byte(16)); }
};

template <class S>
using Q4_0 = SmallBlockDecoder<S, 18, -1, -1, 2>;
template <class S>
using Q4_1 = SmallBlockDecoder<S, 20, 2, -1, 4>;
template <class S>
using Q5_0 = SmallBlockDecoder<S, 22, -1, 2, 6>;
template <class S>
using Q5_1 = SmallBlockDecoder<S, 24, 2, 4, 8>;

template <class S>
struct Q8_0 {
  using I = typename S::I;
  using Form = PanelForm<0, 32>;
  static void decode(const uint8_t* const* rows, int64_t K, PanelWriter<S> out) {
    for (int64_t at = 0; at < K / 32 * 34; at += 34) {
      out.scale(half_at<S>(rows, at));
      for (int part = 0; part < 2; ++part) {
        I raw[4];
        S::gather16(rows, at + 2 + 16 * part, raw);
        for (int j = 0; j < 4; ++j) out.quants(raw[j]);
      }
    }
  }
};

// Levels of IQ4 (the same as quant::kNonlinearLevels; kernels_test compares the decoded values).
template <class S>
typename S::I nonlinear_levels(typename S::I nibbles) {
  static constexpr int8_t kLevels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  return S::lookup(kLevels, nibbles);
}

// 32 weights of IQ4: 16 bytes of nibbles.
template <class S>
void write_nonlinear(const uint8_t* const* rows, int64_t offset, PanelWriter<S>& out) {
  typename S::I raw[4];
  S::gather16(rows, offset, raw);
  for (int j = 0; j < 4; ++j) out.quants(nonlinear_levels<S>(low_nibbles<S>(raw[j])));
  for (int j = 0; j < 4; ++j) out.quants(nonlinear_levels<S>(high_nibbles<S>(raw[j])));
}

template <class S>
struct IQ4_NL {
  using Form = PanelForm<0, 32>;
  static void decode(const uint8_t* const* rows, int64_t K, PanelWriter<S> out) {
    for (int64_t at = 0; at < K / 32 * 18; at += 18) {
      out.scale(half_at<S>(rows, at));
      write_nonlinear(rows, at + 2, out);
    }
  }
};

template <class S>
struct IQ4_XS {
  using F = typename S::F;
  using I = typename S::I;
  using Form = PanelForm<0, 32>;
  static void decode(const uint8_t* const* rows, int64_t K, PanelWriter<S> out) {
    for (int64_t at = 0; at < K / 256 * 136; at += 136) {
      const I head = S::gather_u32(rows, at);     // half d, then two high bits of each of eight scales
      const I low = S::gather_u32(rows, at + 4);  // the low four
      const F d = S::half_to_float(head);
      for (int b = 0; b < 8; ++b) {
        const I low4 = S::bit_and(S::shift_right(low, 4 * b), S::set1_int(15));
        const I high2 = S::bit_and(S::shift_right(head, 16 + 2 * b), S::set1_int(3));
        const I scale = S::bit_or(low4, S::shift_left(high2, 4));
        out.scale(S::mul(d, S::sub(S::from_int(scale), S::set1(32))));
        write_nonlinear(rows, at + 8 + 16 * b, out);
      }
    }
  }
};

// Six-bit scales and mins of eight sub-blocks in twelve bytes (Q4_K, Q5_K), after half d and half dmin: 16 bytes in all.
template <class S>
struct SixBitScales {
  using F = typename S::F;
  using I = typename S::I;

  SixBitScales(const uint8_t* const* rows, int64_t offset) {
    I raw[4];
    S::gather16(rows, offset, raw);
    d = S::half_to_float(raw[0]);
    dmin = S::sub(S::zero(), S::half_to_float(S::shift_right(raw[0], 16)));
    const I six_bits = S::set1_byte(0x3f), two_bits = S::set1_byte(0x30);
    scales[0] = S::bit_and(raw[1], six_bits);
    mins[0] = S::bit_and(raw[2], six_bits);
    scales[1] = S::bit_or(low_nibbles<S>(raw[3]), S::bit_and(S::shift_right(raw[1], 2), two_bits));
    mins[1] = S::bit_or(high_nibbles<S>(raw[3]), S::bit_and(S::shift_right(raw[2], 2), two_bits));
  }
  void write(int b, PanelWriter<S>& out) const {
    out.scale(S::mul(d, unsigned_byte<S>(scales[b / 4], b % 4)));
    out.min(S::mul(dmin, unsigned_byte<S>(mins[b / 4], b % 4)));
  }

  F d, dmin;             // dmin negated: it is subtracted
  I scales[2], mins[2];  // byte b % 4 of [b / 4]
};

template <class S>
struct Q4_K {
  using I = typename S::I;
  using Form = PanelForm<15, 32>;
  static void decode(const uint8_t* const* rows, int64_t K, PanelWriter<S> out) {
    for (int64_t at = 0; at < K / 256 * 144; at += 144) {
      const SixBitScales<S> scales(rows, at);
      for (int b = 0; b < 8; b += 2) {
        I raw[8];
        S::gather16(rows, at + 16 + 16 * b, raw);
        S::gather16(rows, at + 32 + 16 * b, raw + 4);
        scales.write(b, out);
        scales.write(b + 1, out);
        for (int j = 0; j < 8; ++j) out.quants(low_nibbles<S>(raw[j]));
        for (int j = 0; j < 8; ++j) out.quants(high_nibbles<S>(raw[j]));
      }
    }
  }
};

template <class S>
struct Q5_K {
  using I = typename S::I;
  using Form = PanelForm<31, 32>;
  static void decode(const uint8_t* const* rows, int64_t K, PanelWriter<S> out) {
    for (int64_t at = 0; at < K / 256 * 176; at += 176) {
      const SixBitScales<S> scales(rows, at);
      I high[8];  // bit b of a byte belongs to sub-block b
      S::gather16(rows, at + 16, high);
      S::gather16(rows, at + 32, high + 4);
      for (int b = 0; b < 8; b += 2) {
        I raw[8];
        S::gather16(rows, at + 48 + 16 * b, raw);
        S::gather16(rows, at + 64 + 16 * b, raw + 4);
        scales.write(b, out);
        scales.write(b + 1, out);
        for (int j = 0; j < 8; ++j) out.quants(S::bit_or(low_nibbles<S>(raw[j]), fifth_bit(high[j], b)));
        for (int j = 0; j < 8; ++j) out.quants(S::bit_or(high_nibbles<S>(raw[j]), fifth_bit(high[j], b + 1)));
      }
    }
  }

 private:
  static I fifth_bit(I high, int b) {
    const I moved = b < 4 ? S::shift_left(high, 4 - b) : S::shift_right(high, b - 4);
    return S::bit_and(moved, S::set1_byte(16));
  }
};

template <class S>
struct Q6_K {
  using F = typename S::F;
  using I = typename S::I;
  using Form = PanelForm<63, 16>;
  static void decode(const uint8_t* const* rows, int64_t K, PanelWriter<S> out) {
    for (int64_t at = 0; at < K / 256 * 210; at += 210) {
      write_scales(rows, at, out);
      for (int half = 0; half < 2; ++half) {
        I low[16], high[8];
        for (int i = 0; i < 4; ++i) S::gather16(rows, at + 64 * half + 16 * i, low + 4 * i);
        for (int i = 0; i < 2; ++i) S::gather16(rows, at + 128 + 32 * half + 16 * i, high + 4 * i);
        for (int j = 0; j < 8; ++j) out.quants(S::bit_or(low_nibbles<S>(low[j]), high_bits(S::shift_left(high[j], 4))));
        for (int j = 0; j < 8; ++j) out.quants(S::bit_or(low_nibbles<S>(low[8 + j]), high_bits(S::shift_left(high[j], 2))));
        for (int j = 0; j < 8; ++j) out.quants(S::bit_or(high_nibbles<S>(low[j]), high_bits(high[j])));
        for (int j = 0; j < 8; ++j) out.quants(S::bit_or(high_nibbles<S>(low[8 + j]), high_bits(S::shift_right(high[j], 2))));
      }
    }
  }

 private:
  static I high_bits(I a) { return S::bit_and(a, S::set1_byte(0x30)); }
  static void write_scales(const uint8_t* const* rows, int64_t at, PanelWriter<S>& out) {
    const F d = half_at<S>(rows, at + 208);
    I raw[4];
    S::gather16(rows, at + 192, raw);
    for (int i = 0; i < 16; ++i) {
      const F scale = S::mul(d, signed_byte<S>(raw[i / 4], i % 4));
      out.scale(scale);
      out.min(S::mul(scale, S::set1(-32)));
    }
  }
};

template <class S>
struct Q2_K {
  using F = typename S::F;
  using I = typename S::I;
  using Form = PanelForm<15, 16>;  // quants are at most 3
  static void decode(const uint8_t* const* rows, int64_t K, PanelWriter<S> out) {
    for (int64_t at = 0; at < K / 256 * 84; at += 84) {
      write_scales(rows, at, out);
      for (int half = 0; half < 2; ++half) {
        I raw[8];
        S::gather16(rows, at + 16 + 32 * half, raw);
        S::gather16(rows, at + 32 + 32 * half, raw + 4);
        for (int shift = 0; shift < 8; shift += 2) {
          for (int j = 0; j < 8; ++j) out.quants(S::bit_and(S::shift_right(raw[j], shift), S::set1_byte(3)));
        }
      }
    }
  }

 private:
  static void write_scales(const uint8_t* const* rows, int64_t at, PanelWriter<S>& out) {
    const I both = S::gather_u32(rows, at + 80);
    const F d = S::half_to_float(both);
    const F dmin = S::sub(S::zero(), S::half_to_float(S::shift_right(both, 16)));
    I raw[4];
    S::gather16(rows, at, raw);
    for (int i = 0; i < 16; ++i) {
      out.scale(S::mul(d, unsigned_byte<S>(low_nibbles<S>(raw[i / 4]), i % 4)));
      out.min(S::mul(dmin, unsigned_byte<S>(high_nibbles<S>(raw[i / 4]), i % 4)));
    }
  }
};

template <class S>
struct Q3_K {
  using F = typename S::F;
  using I = typename S::I;
  using Form = PanelForm<15, 16>;  // quants are at most 7
  static void decode(const uint8_t* const* rows, int64_t K, PanelWriter<S> out) {
    for (int64_t at = 0; at < K / 256 * 110; at += 110) {
      write_scales(rows, at, out);
      I high[8];  // bit b of a byte belongs to sub-block b
      S::gather16(rows, at, high);
      S::gather16(rows, at + 16, high + 4);
      for (int b = 0; b < 8; ++b) {
        I raw[8];
        S::gather16(rows, at + 32 + 32 * (b / 4), raw);
        S::gather16(rows, at + 48 + 32 * (b / 4), raw + 4);
        for (int j = 0; j < 8; ++j) {
          const I low2 = S::bit_and(S::shift_right(raw[j], 2 * (b % 4)), S::set1_byte(3));
          const I moved = b < 2 ? S::shift_left(high[j], 2 - b) : S::shift_right(high[j], b - 2);
          out.quants(S::bit_or(low2, S::bit_and(moved, S::set1_byte(4))));
        }
      }
    }
  }

 private:
  // Sixteen six-bit scales in twelve bytes: low nibbles in the first eight, the high two bits in the last four.
  static void write_scales(const uint8_t* const* rows, int64_t at, PanelWriter<S>& out) {
    const F d = half_at<S>(rows, at + 108);
    const I low[2] = {S::gather_u32(rows, at + 96), S::gather_u32(rows, at + 100)};
    const I high = S::gather_u32(rows, at + 104);
    for (int i = 0; i < 16; ++i) {
      const I low4 = i < 8 ? low_nibbles<S>(low[i / 4]) : high_nibbles<S>(low[i / 4 - 2]);
      const I high2 = S::shift_left(S::bit_and(S::shift_right(high, 2 * (i / 4)), S::set1_byte(3)), 4);
      const F scale = S::mul(d, S::sub(unsigned_byte<S>(S::bit_or(low4, high2), i % 4), S::set1(32)));
      out.scale(scale);
      out.min(S::mul(scale, S::set1(-4)));
    }
  }
};

}  // namespace atelier::kernels
