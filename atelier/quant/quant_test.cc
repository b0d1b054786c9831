// Goldens from tests/golden/make_quant_goldens.py (gguf 0.19.0, llama-cpp-python 0.3.36) and make_nf4_goldens.py (bitsandbytes 0.50.2), and
// what no golden can show.
#include "atelier/quant/quant.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/json.h"
#include "atelier/quant/normal_float.h"

namespace atelier::quant {
namespace {

constexpr int kRows = 16, kColumns = 1024;

Json read_golden(const std::string& name) {
  std::ifstream file(ATELIER_SOURCE_DIR "/tests/golden/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return Json::parse(text.str(), name).value();
}

const Json& golden() {
  static const Json json = read_golden("quant.json");
  return json;
}

std::vector<uint8_t> from_hex(const std::string& hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::vector<float> floats_from_hex(const std::string& hex) {
  const std::vector<uint8_t> bytes = from_hex(hex);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

// The generator of the golden script, in the same exact arithmetic.
class Generator {
 public:
  explicit Generator(uint64_t seed) : state_(seed) {}
  double uniform() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 40) / 16777216.0;
  }
  double normal() {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum - 6;
  }

 private:
  uint64_t state_;
};

std::vector<float> weights(const std::string& distribution) {
  Generator g(7);
  std::vector<float> x(kRows * kColumns);
  for (size_t i = 0; i < x.size(); ++i) {
    const double n = g.normal();
    if (distribution == "heavy") {
      x[i] = static_cast<float>(n * std::fabs(g.normal()) * 0.0625);
    } else if (distribution == "outlier") {
      x[i] = static_cast<float>(n * (i % 64 == 5 ? 0.25 : 0.03125));
    } else if (distribution == "shifted") {
      x[i] = static_cast<float>(n * 0.015625 + 0.03125);
    } else {
      x[i] = static_cast<float>(n);
    }
  }
  return x;
}

std::vector<float> importance() {
  Generator g(11);
  std::vector<float> row(kColumns), all;
  for (float& w : row) {
    const double u = g.uniform();
    w = static_cast<float>(u * u * u * u * 32 + 0.03125);
  }
  for (int r = 0; r < kRows; ++r) all.insert(all.end(), row.begin(), row.end());
  return all;
}

std::vector<uint8_t> packed(const BlockFormat& format, const std::vector<float>& x, const float* weight = nullptr) {
  std::vector<uint8_t> bytes(static_cast<size_t>(row_bytes(format.dtype, static_cast<int64_t>(x.size()))));
  from_f32(format.dtype, x.data(), bytes.data(), static_cast<int64_t>(x.size()), weight);
  return bytes;
}

std::vector<float> unpacked(const BlockFormat& format, const std::vector<uint8_t>& bytes) {
  const DTypeInfo& info = dtype_info(format.dtype);
  std::vector<float> x(bytes.size() / static_cast<size_t>(info.block_bytes) * static_cast<size_t>(info.block_size));
  to_f32(format.dtype, bytes.data(), x.data(), static_cast<int64_t>(x.size()));
  return x;
}

double rms_error(const std::vector<float>& x, const std::vector<float>& y, const std::vector<float>* weight = nullptr) {
  double squares = 0, total = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double w = weight ? (*weight)[i] : 1, e = static_cast<double>(x[i]) - y[i];
    squares += w * e * e;
    total += w;
  }
  return std::sqrt(squares / total);
}

double round_trip_error(const BlockFormat& format, const std::vector<float>& x) {
  return rms_error(x, unpacked(format, packed(format, x)));
}

bool all_finite(const std::vector<float>& x) {
  return std::all_of(x.begin(), x.end(), [](float v) { return std::isfinite(v); });
}

// Runs `check` on every format that can pack.
template <typename Check>
void for_each_writable(Check check) {
  for (const BlockFormat* format : block_formats()) {
    if (format->pack == nullptr) continue;
    SCOPED_TRACE(dtype_name(format->dtype));
    check(*format);
  }
}

TEST(BlockFormats, every_quantized_dtype_has_one) {
  EXPECT_EQ(block_formats().size(), 13u);
  for (const BlockFormat* format : block_formats()) {
    EXPECT_TRUE(is_quantized(format->dtype));
    EXPECT_EQ(&block_format(format->dtype), format);
    EXPECT_NE(format->unpack, nullptr);
  }
  EXPECT_THROW(block_format(DType::kF32), InternalError);
}

TEST(BlockFormats, only_the_nonlinear_types_are_read_only) {
  for (const BlockFormat* format : block_formats()) {
    const bool is_nonlinear = format->dtype == DType::kIQ4_NL || format->dtype == DType::kIQ4_XS;
    EXPECT_EQ(can_pack(format->dtype), !is_nonlinear) << dtype_name(format->dtype);
  }
  EXPECT_TRUE(can_pack(DType::kF32) && can_pack(DType::kF16) && can_pack(DType::kBF16));
  EXPECT_FALSE(can_pack(DType::kI32));
}

TEST(Unpack, gives_the_values_of_the_gguf_package_bit_for_bit) {
  for (const BlockFormat* format : block_formats()) {
    if (format->dtype == DType::kNF4) continue;
    SCOPED_TRACE(dtype_name(format->dtype));
    const Json* entry = golden().find("unpack")->find(dtype_name(format->dtype));
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(unpacked(*format, from_hex(entry->find("bytes")->as_string())), floats_from_hex(entry->find("values")->as_string()));
  }
}

TEST(NormalFloat, has_the_codes_scales_and_values_of_bitsandbytes) {
  const BlockFormat& format = block_format(DType::kNF4);
  const Json cases = *read_golden("nf4.json").find("cases");
  for (const auto& [distribution, expected] : cases.as_object()) {
    SCOPED_TRACE(distribution);
    const std::vector<float> x = weights(distribution);
    EXPECT_NEAR(round_trip_error(format, x), expected.find("error")->as_double(), 1e-9);
    const std::vector<uint8_t> bytes = packed(format, {x.begin(), x.begin() + 1024});
    EXPECT_EQ(unpacked(format, bytes), floats_from_hex(expected.find("values")->as_string()));
    std::string codes;
    std::vector<float> scales;
    for (size_t at = 0; at < bytes.size(); at += 36) {
      std::memcpy(&scales.emplace_back(), &bytes[at], sizeof(float));
      for (const size_t run : {at + 4, at + 20}) {  // of 32 weights, the earlier 16 in the low halves
        for (const int shift : {0, 4}) {
          for (size_t j = 0; j < 16; ++j) codes += "0123456789abcdef"[bytes[run + j] >> shift & 15];
        }
      }
    }
    EXPECT_EQ(codes, expected.find("codes")->as_string());
    EXPECT_EQ(scales, floats_from_hex(expected.find("scales")->as_string()));
  }
}

TEST(NormalFloat, has_the_published_levels_and_the_nearest_bytes) {
  const std::vector<float> levels = floats_from_hex(read_golden("nf4.json").find("levels")->as_string());
  ASSERT_EQ(levels.size(), 16u);
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(kNormalFloatLevels[i], levels[i]);
    EXPECT_EQ(kNormalFloatBytes[i] - 128, std::lround(127 * levels[i]));
  }
}

TEST(NormalFloat, integer_products_see_values_half_a_127th_of_the_largest_apart) {
  const BlockFormat& format = block_format(DType::kNF4);
  const std::vector<float> x = weights("normal");
  const std::vector<uint8_t> bytes = packed(format, x);
  const std::vector<float> exact = unpacked(format, bytes);
  std::vector<float> rounded(x.size());
  format.unpack_rounded(bytes.data(), rounded.data(), static_cast<int64_t>(x.size()) / 64);
  for (size_t i = 0; i < x.size(); ++i) {
    float largest;
    std::memcpy(&largest, &bytes[i / 64 * 36], sizeof largest);
    ASSERT_NEAR(rounded[i], exact[i], 0.5001f / 127 * largest);
  }
  EXPECT_LT(rms_error(x, rounded), 1.004 * rms_error(x, exact));
}

TEST(Unpack, takes_any_bit_pattern) {
  for (const BlockFormat* format : block_formats()) {
    const size_t bytes = static_cast<size_t>(dtype_info(format->dtype).block_bytes);
    for (const uint8_t fill : {0x00, 0x7c, 0x7e, 0xfc, 0xff}) {  // 0x7c7c, 0x7e7e and 0xffff are NaN halves
      EXPECT_EQ(unpacked(*format, std::vector<uint8_t>(bytes * 3, fill)).size(),
                3u * static_cast<size_t>(dtype_info(format->dtype).block_size));
    }
  }
}

TEST(Unpack, an_infinite_scale_gives_no_finite_garbage) {
  std::vector<uint8_t> block(34, 1);
  block[0] = 0x00;
  block[1] = 0x7c;
  for (const float v : unpacked(block_format(DType::kQ8_0), block)) EXPECT_EQ(v, std::numeric_limits<float>::infinity());
}

TEST(Pack, writes_the_bytes_of_the_gguf_package_for_small_blocks) {
  std::vector<float> x = weights("heavy");
  x.resize(512);
  for (const auto& [name, bytes] : golden().find("bytes")->as_object()) {
    SCOPED_TRACE(name);
    EXPECT_EQ(packed(block_format(*dtype_from_name(name)), x), from_hex(bytes.as_string()));
  }
}

TEST(Pack, errs_at_most_half_a_percent_more_than_llama_cpp) {
  const std::vector<float> weight = importance();
  for (const auto& [distribution, formats] : golden().find("errors")->as_object()) {
    const std::vector<float> x = weights(distribution);
    for (const auto& [name, reference] : formats.as_object()) {
      SCOPED_TRACE(distribution + " " + name);
      const BlockFormat& format = block_format(*dtype_from_name(name));
      EXPECT_LE(round_trip_error(format, x), 1.005 * reference.find("plain")->as_double());
      const std::vector<float> weighted = unpacked(format, packed(format, x, weight.data()));
      EXPECT_LE(rms_error(x, weighted, &weight), 1.005 * reference.find("importance")->as_double());
    }
  }
}

TEST(Pack, keeps_the_error_bound_that_its_table_states) {
  const std::vector<float> x = weights("normal");
  for_each_writable([&](const BlockFormat& format) {
    const double error = round_trip_error(format, x);
    EXPECT_LE(error, format.max_rms_error);
    EXPECT_GE(error, 0.9 * format.max_rms_error) << "the stated bound is slack";
  });
}

TEST(Pack, importance_lowers_the_error_where_it_is_high) {
  const std::vector<float> x = weights("normal"), weight = importance();
  for_each_writable([&](const BlockFormat& format) {
    if (format.dtype == DType::kQ8_0 || format.dtype == DType::kNF4) return;
    const double with = rms_error(x, unpacked(format, packed(format, x, weight.data())), &weight);
    const double without = rms_error(x, unpacked(format, packed(format, x)), &weight);
    EXPECT_LT(with, 0.95 * without);
  });
}

TEST(Pack, a_block_does_not_depend_on_its_neighbours) {
  const std::vector<float> x = weights("heavy"), weight = importance();
  for_each_writable([&](const BlockFormat& format) {
    const DTypeInfo& info = dtype_info(format.dtype);
    const std::vector<uint8_t> whole = packed(format, x, weight.data());
    std::vector<uint8_t> one_by_one(whole.size());
    for (size_t b = 0; b < x.size() / static_cast<size_t>(info.block_size); ++b) {
      const size_t at = b * static_cast<size_t>(info.block_size);
      format.pack(x.data() + at, weight.data() + at, one_by_one.data() + b * static_cast<size_t>(info.block_bytes), 1);
    }
    EXPECT_EQ(whole, one_by_one);
  });
}

TEST(Pack, zeros_stay_zeros) {
  const std::vector<float> zeros(1024, 0.0f);
  for_each_writable([&](const BlockFormat& format) { EXPECT_EQ(unpacked(format, packed(format, zeros)), zeros); });
}

TEST(Pack, constant_blocks_keep_their_value) {
  for (const float value : {0.03f, -0.03f, 7.0f, -7.0f}) {
    const std::vector<float> x(512, value);
    for_each_writable([&](const BlockFormat& format) {
      for (const float y : unpacked(format, packed(format, x))) ASSERT_NEAR(y, value, 0.002 * std::fabs(value));
    });
  }
}

TEST(Pack, weights_without_importance_still_get_a_scale) {
  const std::vector<float> x = weights("normal"), none(x.size(), 0.0f);
  for_each_writable([&](const BlockFormat& format) {
    const double error = rms_error(x, unpacked(format, packed(format, x, none.data())));
    EXPECT_TRUE(std::isfinite(error));
    EXPECT_LE(error, 1.01) << "no worse than storing zeros";
  });
}

TEST(Pack, any_finite_weight_unpacks_to_a_finite_value) {
  const std::vector<float> pattern = weights("heavy");
  for (const float magnitude : {1e-45f, 1e-38f, 1e-30f, 1e-20f, 1e-8f, 1e-4f, 1e4f, 1e6f, 1e20f, 3e38f}) {
    std::vector<float> x(pattern.begin(), pattern.begin() + 2048);
    for (float& v : x) v = std::clamp(v, -1.0f, 1.0f) * magnitude;
    for_each_writable([&](const BlockFormat& format) {
      EXPECT_TRUE(all_finite(unpacked(format, packed(format, x)))) << magnitude;
      EXPECT_TRUE(all_finite(unpacked(format, packed(format, x, pattern.data() + 4096)))) << magnitude;
    });
  }
}

TEST(Pack, the_relative_error_is_the_same_at_every_usual_magnitude) {
  const std::vector<float> x = weights("heavy");
  for_each_writable([&](const BlockFormat& format) {
    const double reference = round_trip_error(format, x);
    for (const float power : {0x1p-3f, 0x1p5f, 0x1p10f}) {
      std::vector<float> scaled = x;
      for (float& v : scaled) v *= power;
      EXPECT_NEAR(round_trip_error(format, scaled) / static_cast<double>(power), reference, 0.02 * reference);
    }
  });
}

TEST(Pack, non_finite_weights_do_no_harm_outside_their_block) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinity, -infinity}) {
    std::vector<float> x(768, 0.5f);
    x[300] = bad;
    for_each_writable([&](const BlockFormat& format) {
      const std::vector<float> y = unpacked(format, packed(format, x));
      for (size_t i = 0; i < 768; ++i) {
        const bool is_elsewhere = i < 256 || i >= 512;
        ASSERT_TRUE(!is_elsewhere || std::fabs(y[i] - 0.5f) < 0.001f) << i;
      }
    });
  }
}

TEST(Conversion, plain_types_round_to_nearest_even) {
  const float values[] = {1.0f, 1.00048828125f, -65504.0f, 3.14159274f};  // the second is half-way between two halves
  uint16_t half[4], brain[4];
  from_f32(DType::kF16, values, half, 4);
  from_f32(DType::kBF16, values, brain, 4);
  EXPECT_EQ(half[0], 0x3c00);
  EXPECT_EQ(half[1], 0x3c00);
  EXPECT_EQ(half[2], 0xfbff);
  EXPECT_EQ(brain[3], 0x4049);
  float back[4];
  to_f32(DType::kBF16, brain, back, 4);
  EXPECT_EQ(back[3], 3.140625f);
  const double wide[] = {0.1, -2.0};
  to_f32(DType::kF64, wide, back, 2);
  EXPECT_EQ(back[0], 0.1f);
  EXPECT_EQ(back[1], -2.0f);
}

TEST(Conversion, refuses_counts_that_split_a_block_and_types_that_cannot_be_written) {
  float values[32] = {};
  uint8_t bytes[256] = {};
  EXPECT_THROW(to_f32(DType::kQ4_0, bytes, values, 31), InternalError);
  EXPECT_THROW(from_f32(DType::kQ4_0, values, bytes, 16), InternalError);
  EXPECT_THROW(from_f32(DType::kIQ4_NL, values, bytes, 32), InternalError);
}

}  // namespace
}  // namespace atelier::quant
