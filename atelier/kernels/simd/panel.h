// Weights of any block format, decoded into one form that both products (int8 and float32) read.
//
// A panel holds kLanes consecutive weight rows (outputs), interleaved so that a vector meets four inputs of all of them at once:
//
//   quants  [K / 32][8][kLanes][4]   unsigned bytes; weight row r, input 32 b + 4 j + i is at [b][j][r][i]
//   scales  [K / kGroup][kLanes]     float32
//   mins    [K / kGroup][kLanes]     float32, of formats that store one
//
// w = scale * quant + min, or scale * (quant - kZero) where the format has a whole number for its zero: integer products then take the
// zero off exactly. Or w = scale * levels[quant], for float products. What is decoded is a tile of quant/tiles.h: a vector load brings the
// same word of kLanes rows, so that decoding is shifts and masks only, and the packed scales of the K types are unpacked for all rows by
// the same few. The float values are those of quant::to_f32, bit for bit: products with a quant are exact in float32, and where a min is
// subtracted it is by the same single rounding.
//
// Layouts: docs/formats/quantization.md.
#pragma once

// Before the loops of a decoder. With AVX2 computing is the limit of a single row, and what is written for constant indices needs neither
// counters nor branches: up to 3.5 times as fast. With AVX-512 memory is the limit, and unrolled code was slower (performance.md).
#ifdef __AVX512F__
#define ATELIER_UNROLL_DECODER
#else
#define ATELIER_UNROLL_DECODER _Pragma("GCC unroll 16")
#endif

#include <type_traits>

#include "atelier/kernels/table.h"
#include "atelier/quant/normal_float.h"
#include "atelier/quant/tiles.h"

namespace atelier::kernels {

template <class S>
struct Panel {
  uint8_t* quants;
  float* scales;
  float* mins;
};

// How a format's panel is to be read: quants are in [0, kMaxQuant], kGroupSize inputs share a scale, and kZeroQuant stands for zero; 0:
// the panel has mins.
template <int kMaxQuant, int kGroupSize, int kZeroQuant>
struct PanelForm {
  static constexpr int kMax = kMaxQuant;
  static constexpr int kGroup = kGroupSize;
  static constexpr int kZero = kZeroQuant;
  static constexpr bool kHasMins = kZeroQuant == 0;
  static constexpr bool kHasLevels = false;
};

// Quants are numbers of levels, which a table has as floats: of float products alone.
struct LevelForm {
  static constexpr int kGroup = 32;
  static constexpr bool kHasLevels = true;
};

// Reads the blocks of kLanes rows of a tile in ascending order. A block has kWords words, and perhaps a half float beside them.
template <class S, int64_t kWords, bool kHasHalf>
class TileReader {
 public:
  using F = typename S::F;
  using I = typename S::I;

  // From block `first` of `blocks` on; `first_row` is a multiple of kLanes.
  TileReader(const uint8_t* tile, int64_t blocks, int64_t first, int64_t first_row)
      : next_(tile + first / 2 * 2 * (kWords * kWordLine + kHasHalf * kHalfLine) + first_row * 4),
        first_row_(first_row),
        left_(blocks - first / 2 * 2) {
    begin_pair();
    if (first % 2 == 1) advance();
  }

  // Word i of the block in every row's lane.
  I word(int64_t i) const { return S::load_bytes(next_ + i * kWordLine); }
  // The half float that stands beside the block's words.
  F half() const { return S::load_f16(reinterpret_cast<const uint16_t*>(halves_)); }

  // Asks for part `part` of `parts` of what lies kAhead bytes behind the block: in this tile or the next, which a thread reads after it.
  void prefetch(int64_t part, int64_t parts) const {
    constexpr int64_t kLines = kWords + kHasHalf;
    for (int64_t i = part * kLines / parts; i < (part + 1) * kLines / parts; ++i) S::prefetch(next_ + kAhead + i * kWordLine);
  }
  void advance() {
    next_ += kWords * kWordLine;
    --left_;
    if (!kHasHalf) return;
    halves_ += kHalfLine;
    if (is_second_) {
      begin_pair();
    } else {
      is_second_ = true;
    }
  }

 private:
  static constexpr int64_t kWordLine = quant::kTileRows * 4, kHalfLine = quant::kTileRows * 2;
  static constexpr int64_t kAhead = 8192;

  void begin_pair() {
    if (!kHasHalf) return;
    halves_ = next_ - first_row_ * 2;
    next_ += left_ >= 2 ? 2 * kHalfLine : kHalfLine;
    is_second_ = false;
  }

  const uint8_t* next_;
  const uint8_t* halves_ = nullptr;
  int64_t first_row_, left_;
  bool is_second_ = false;
};

// Stores quants, scales and mins of a panel in ascending order of inputs. kTakenOff is subtracted from every quant.
template <class S, int kTakenOff = 0>
class PanelWriter {
 public:
  using F = typename S::F;
  using I = typename S::I;

  explicit PanelWriter(const Panel<S>& panel) : panel_(panel) {}

  void quants(I a) {
    if constexpr (kTakenOff != 0) a = S::sub_bytes(a, S::set1_byte(static_cast<int8_t>(kTakenOff)));
    S::store_bytes(panel_.quants, a);
    panel_.quants += 4 * S::kLanes;
  }
  void scale(F a) {
    S::store(panel_.scales, a);
    panel_.scales += S::kLanes;
  }
  void min(F a) {
    S::store(panel_.mins, a);
    panel_.mins += S::kLanes;
  }

 private:
  Panel<S> panel_;
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

// Every decoder writes one block of its format, read by a TileReader (`In`), to a PanelWriter or to what else takes scales, mins and quants
// in their order (`Out`).

// Blocks of 32 with one scale: four words of nibbles, low ones first, from word kNibbles on; kHighBits: the word of the fifth bits, or -1.
// Formats with a min keep it beside the scale in word 0.
template <class S, bool kHasMin, int kHighBits, int kNibbles>
struct SmallBlockDecoder {
  using I = typename S::I;
  static constexpr int kMaxQuant = kHighBits < 0 ? 15 : 31;
  using Form = PanelForm<kMaxQuant, 32, kHasMin ? 0 : (kMaxQuant + 1) / 2>;
  static constexpr int64_t kBlock = 32, kWords = kNibbles + 4;
  static constexpr bool kHasHalf = !kHasMin;

  template <class In, class Out>
  static void decode(const In& in, Out& out) {
    if constexpr (kHasMin) {
      const I both = in.word(0);
      out.scale(S::half_to_float(both));
      out.min(S::half_to_float(S::shift_right(both, 16)));
    } else {
      out.scale(in.half());
    }
    I raw[4];
    ATELIER_UNROLL_DECODER
    for (int j = 0; j < 4; ++j) raw[j] = in.word(kNibbles + j);
    if constexpr (kHighBits < 0) {
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 4; ++j) out.quants(low_nibbles<S>(raw[j]));
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 4; ++j) out.quants(high_nibbles<S>(raw[j]));
    } else {
      const I high = in.word(kHighBits);
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 4; ++j) out.quants(S::bit_or(low_nibbles<S>(raw[j]), fifth_bits(high, 4 * j)));
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 4; ++j) out.quants(S::bit_or(high_nibbles<S>(raw[j]), fifth_bits(high, 16 + 4 * j)));
    }
  }

 private:
  static I fifth_bits(I high, int first) { return S::bit_and(S::spread_bits(high, first), S::set1_byte(16)); }
};

template <class S>
using Q4_0 = SmallBlockDecoder<S, false, -1, 0>;
template <class S>
using Q4_1 = SmallBlockDecoder<S, true, -1, 1>;
template <class S>
using Q5_0 = SmallBlockDecoder<S, false, 0, 1>;
template <class S>
using Q5_1 = SmallBlockDecoder<S, true, 1, 2>;

template <class S>
struct Q8_0 {
  using Form = PanelForm<255, 32, 128>;
  static constexpr int64_t kBlock = 32, kWords = 8;
  static constexpr bool kHasHalf = true;
  template <class In, class Out>
  static void decode(const In& in, Out& out) {
    out.scale(in.half());
    ATELIER_UNROLL_DECODER
    for (int j = 0; j < 8; ++j) out.quants(S::bit_xor(in.word(j), S::set1_byte(-128)));
  }
};

// Levels of IQ4, 128 added (the same as quant::kNonlinearLevels; kernels_test compares the decoded values).
template <class S>
typename S::I nonlinear_levels(typename S::I nibbles) {
  static constexpr uint8_t kLevels[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
  return S::lookup(kLevels, nibbles);
}

// 32 weights of IQ4: four words of nibbles.
template <class S, class In, class Out>
void write_nonlinear(const In& in, int64_t first_word, Out& out) {
  typename S::I raw[4];
  ATELIER_UNROLL_DECODER
  for (int j = 0; j < 4; ++j) raw[j] = in.word(first_word + j);
  ATELIER_UNROLL_DECODER
  for (int j = 0; j < 4; ++j) out.quants(nonlinear_levels<S>(low_nibbles<S>(raw[j])));
  ATELIER_UNROLL_DECODER
  for (int j = 0; j < 4; ++j) out.quants(nonlinear_levels<S>(high_nibbles<S>(raw[j])));
}

template <class S>
struct IQ4_NL {
  using Form = PanelForm<255, 32, 128>;
  static constexpr int64_t kBlock = 32, kWords = 4;
  static constexpr bool kHasHalf = true;
  template <class In, class Out>
  static void decode(const In& in, Out& out) {
    out.scale(in.half());
    write_nonlinear<S>(in, 0, out);
  }
};

// NF4: float products meet its levels, integer products the same in 127ths.
template <class S, bool kIsFloat>
struct NF4 {
  using F = typename S::F;
  using I = typename S::I;
  using Form = std::conditional_t<kIsFloat, LevelForm, PanelForm<255, 32, 128>>;
  static constexpr int64_t kBlock = 64, kWords = 9;
  static constexpr bool kHasHalf = false;
  template <class In, class Out>
  static void decode(const In& in, Out& out) {
    const F largest = S::as_float(in.word(0));
    const F scale = kIsFloat ? largest : S::mul(largest, S::set1(1.0f / 127));
    out.scale(scale);
    out.scale(scale);
    ATELIER_UNROLL_DECODER
    for (int half = 0; half < 2; ++half) {
      I raw[4];
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 4; ++j) raw[j] = in.word(1 + 4 * half + j);
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 4; ++j) out.quants(level(low_nibbles<S>(raw[j])));
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 4; ++j) out.quants(level(high_nibbles<S>(raw[j])));
    }
  }

 private:
  static I level(I nibbles) { return kIsFloat ? nibbles : S::lookup(quant::kNormalFloatBytes, nibbles); }
};

template <class S>
struct IQ4_XS {
  using F = typename S::F;
  using I = typename S::I;
  using Form = PanelForm<255, 32, 128>;
  static constexpr int64_t kBlock = 256, kWords = 34;
  static constexpr bool kHasHalf = false;
  template <class In, class Out>
  static void decode(const In& in, Out& out) {
    const I head = in.word(0);  // half d, then two high bits of each of eight scales
    const I low = in.word(1);   // the low four
    const F d = S::half_to_float(head);
    ATELIER_UNROLL_DECODER
    for (int b = 0; b < 8; ++b) {
      const I low4 = S::bit_and(S::shift_right(low, 4 * b), S::set1_int(15));
      const I high2 = S::bit_and(S::shift_right(head, 16 + 2 * b), S::set1_int(3));
      const I scale = S::bit_or(low4, S::shift_left(high2, 4));
      out.scale(S::mul(d, S::sub(S::from_int(scale), S::set1(32))));
      write_nonlinear<S>(in, 2 + 4 * b, out);
    }
  }
};

// Half d and half dmin, then six-bit scales and mins of eight sub-blocks in twelve bytes (Q4_K, Q5_K): the first four words.
template <class S>
struct SixBitScales {
  using F = typename S::F;
  using I = typename S::I;

  template <class In>
  explicit SixBitScales(const In& in) {
    const I both = in.word(0), raw[3] = {in.word(1), in.word(2), in.word(3)};
    d = S::half_to_float(both);
    dmin = S::sub(S::zero(), S::half_to_float(S::shift_right(both, 16)));
    const I six_bits = S::set1_byte(0x3f), two_bits = S::set1_byte(0x30);
    scales[0] = S::bit_and(raw[0], six_bits);
    mins[0] = S::bit_and(raw[1], six_bits);
    scales[1] = S::bit_or(low_nibbles<S>(raw[2]), S::bit_and(S::shift_right(raw[0], 2), two_bits));
    mins[1] = S::bit_or(high_nibbles<S>(raw[2]), S::bit_and(S::shift_right(raw[1], 2), two_bits));
  }
  template <class Out>
  void write(int b, Out& out) const {
    out.scale(S::mul(d, unsigned_byte<S>(scales[b / 4], b % 4)));
    out.min(S::mul(dmin, unsigned_byte<S>(mins[b / 4], b % 4)));
  }

  F d, dmin;             // dmin negated: it is subtracted
  I scales[2], mins[2];  // byte b % 4 of [b / 4]
};

template <class S>
struct Q4_K {
  using I = typename S::I;
  using Form = PanelForm<15, 32, 0>;
  static constexpr int64_t kBlock = 256, kWords = 36;
  static constexpr bool kHasHalf = false;
  template <class In, class Out>
  static void decode(const In& in, Out& out) {
    const SixBitScales<S> scales(in);
    ATELIER_UNROLL_DECODER
    for (int b = 0; b < 8; b += 2) {
      I raw[8];
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 8; ++j) raw[j] = in.word(4 + 4 * b + j);
      scales.write(b, out);
      scales.write(b + 1, out);
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 8; ++j) out.quants(low_nibbles<S>(raw[j]));
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 8; ++j) out.quants(high_nibbles<S>(raw[j]));
    }
  }
};

template <class S>
struct Q5_K {
  using I = typename S::I;
  using Form = PanelForm<31, 32, 0>;
  static constexpr int64_t kBlock = 256, kWords = 44;
  static constexpr bool kHasHalf = false;
  template <class In, class Out>
  static void decode(const In& in, Out& out) {
    const SixBitScales<S> scales(in);
    ATELIER_UNROLL_DECODER
    for (int b = 0; b < 8; b += 2) {
      scales.write(b, out);
      scales.write(b + 1, out);
      I raw[8];
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 8; ++j) raw[j] = in.word(12 + 4 * b + j);
      // Bit b of byte i of words 4 .. 11 belongs to input i of sub-block b.
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 8; ++j) out.quants(S::bit_or(low_nibbles<S>(raw[j]), fifth_bit(in.word(4 + j), b)));
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 8; ++j) out.quants(S::bit_or(high_nibbles<S>(raw[j]), fifth_bit(in.word(4 + j), b + 1)));
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
  using Form = PanelForm<63, 16, 32>;
  static constexpr int64_t kBlock = 256, kWords = 52;
  static constexpr bool kHasHalf = true;
  template <class In, class Out>
  static void decode(const In& in, Out& out) {
    const F d = in.half();
    ATELIER_UNROLL_DECODER
    for (int i = 0; i < 16; ++i) out.scale(S::mul(d, signed_byte<S>(in.word(48 + i / 4), i % 4)));
    ATELIER_UNROLL_DECODER
    for (int half = 0; half < 2; ++half) {
      const int low = 16 * half, high = 32 + 8 * half;
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 8; ++j) out.quants(join(low_nibbles<S>(in.word(low + j)), S::shift_left(in.word(high + j), 4)));
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 8; ++j) out.quants(join(low_nibbles<S>(in.word(low + 8 + j)), S::shift_left(in.word(high + j), 2)));
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 8; ++j) out.quants(join(high_nibbles<S>(in.word(low + j)), in.word(high + j)));
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 8; ++j) out.quants(join(high_nibbles<S>(in.word(low + 8 + j)), S::shift_right(in.word(high + j), 2)));
    }
  }

 private:
  static I join(I low, I high) { return S::bit_or(low, S::bit_and(high, S::set1_byte(0x30))); }
};

template <class S>
struct Q2_K {
  using F = typename S::F;
  using I = typename S::I;
  using Form = PanelForm<3, 16, 0>;
  static constexpr int64_t kBlock = 256, kWords = 21;
  static constexpr bool kHasHalf = false;
  template <class In, class Out>
  static void decode(const In& in, Out& out) {
    const I both = in.word(20);
    const F d = S::half_to_float(both);
    const F dmin = S::sub(S::zero(), S::half_to_float(S::shift_right(both, 16)));
    ATELIER_UNROLL_DECODER
    for (int i = 0; i < 16; ++i) {
      out.scale(S::mul(d, unsigned_byte<S>(low_nibbles<S>(in.word(i / 4)), i % 4)));
      out.min(S::mul(dmin, unsigned_byte<S>(high_nibbles<S>(in.word(i / 4)), i % 4)));
    }
    // Unrolled, groups and shifts are constants: a quarter faster.
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
#pragma GCC unroll 4
      for (int shift = 0; shift < 8; shift += 2) {
#pragma GCC unroll 8
        for (int j = 0; j < 8; ++j) out.quants(S::bit_and(S::shift_right(in.word(4 + 8 * half + j), shift), S::set1_byte(3)));
      }
    }
  }
};

template <class S>
struct Q3_K {
  using F = typename S::F;
  using I = typename S::I;
  using Form = PanelForm<7, 16, 4>;
  static constexpr int64_t kBlock = 256, kWords = 27;
  static constexpr bool kHasHalf = true;
  template <class In, class Out>
  static void decode(const In& in, Out& out) {
    write_scales(in, out);
    ATELIER_UNROLL_DECODER
    for (int b = 0; b < 8; ++b) {  // bit b of words 0 .. 7 belongs to sub-block b
      ATELIER_UNROLL_DECODER
      for (int j = 0; j < 8; ++j) {
        const I low2 = S::bit_and(S::shift_right(in.word(8 + 8 * (b / 4) + j), 2 * (b % 4)), S::set1_byte(3));
        const I high = in.word(j);
        const I moved = b < 2 ? S::shift_left(high, 2 - b) : S::shift_right(high, b - 2);
        out.quants(S::bit_or(low2, S::bit_and(moved, S::set1_byte(4))));
      }
    }
  }

 private:
  // Sixteen six-bit scales in twelve bytes: low nibbles in the first eight, the high two bits in the last four.
  template <class In, class Out>
  static void write_scales(const In& in, Out& out) {
    const F d = in.half();
    const I low[2] = {in.word(24), in.word(25)};
    const I high = in.word(26);
    ATELIER_UNROLL_DECODER
    for (int i = 0; i < 16; ++i) {
      const I low4 = i < 8 ? low_nibbles<S>(low[i / 4]) : high_nibbles<S>(low[i / 4 - 2]);
      const I high2 = S::shift_left(S::bit_and(S::shift_right(high, 2 * (i / 4)), S::set1_byte(3)), 4);
      out.scale(S::mul(d, S::sub(unsigned_byte<S>(S::bit_or(low4, high2), i % 4), S::set1(32))));
    }
  }
};

}  // namespace atelier::kernels
