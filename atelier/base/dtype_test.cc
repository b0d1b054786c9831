#include "atelier/base/dtype.h"

#include <gtest/gtest.h>

#include <limits>

#include "atelier/base/error.h"

namespace atelier {
namespace {

// Bytes and weights per block from ggml src/ggml-common.h.
TEST(DType, BlockSizesAreGgmls) {
  struct Row {
    const char* name;
    int block_size, block_bytes;
    uint32_t gguf_id;
  };
  for (const Row& row : {Row{"F32", 1, 4, 0},       Row{"F16", 1, 2, 1},         Row{"Q4_0", 32, 18, 2},    Row{"Q4_1", 32, 20, 3},
                         Row{"Q5_0", 32, 22, 6},    Row{"Q5_1", 32, 24, 7},      Row{"Q8_0", 32, 34, 8},    Row{"Q2_K", 256, 84, 10},
                         Row{"Q3_K", 256, 110, 11}, Row{"Q4_K", 256, 144, 12},   Row{"Q5_K", 256, 176, 13}, Row{"Q6_K", 256, 210, 14},
                         Row{"IQ4_NL", 32, 18, 20}, Row{"IQ4_XS", 256, 136, 23}, Row{"I8", 1, 1, 24},       Row{"I16", 1, 2, 25},
                         Row{"I32", 1, 4, 26},      Row{"I64", 1, 8, 27},        Row{"F64", 1, 8, 28},      Row{"BF16", 1, 2, 30}}) {
    const auto dtype = dtype_from_name(row.name);
    ASSERT_TRUE(dtype) << row.name;
    EXPECT_EQ(dtype_from_gguf(row.gguf_id), dtype) << row.name;
    EXPECT_EQ(dtype_info(*dtype).block_size, row.block_size) << row.name;
    EXPECT_EQ(dtype_info(*dtype).block_bytes, row.block_bytes) << row.name;
    EXPECT_EQ(is_quantized(*dtype), row.block_size > 1) << row.name;
    EXPECT_EQ(row_bytes(*dtype, 512), 512 / row.block_size * row.block_bytes) << row.name;
  }
}

TEST(DType, UnknownIdsAndNamesGiveNothing) {
  for (const uint32_t id : {4u, 5u, 9u, 15u, 16u, 29u, 31u, 39u, 128u, 1000u, 256u + 8u}) EXPECT_FALSE(dtype_from_gguf(id)) << id;
  EXPECT_FALSE(dtype_from_name("Q9_K"));
  EXPECT_EQ(dtype_from_name("q4_k"), DType::kQ4_K) << "any case";
}

TEST(DType, RowsAreWholeBlocksAndDoNotOverflow) {
  EXPECT_EQ(checked_row_bytes(DType::kQ4_K, 512), 288);
  EXPECT_FALSE(checked_row_bytes(DType::kQ4_K, 500));
  EXPECT_FALSE(checked_row_bytes(DType::kF32, -1));
  EXPECT_FALSE(checked_row_bytes(DType::kF32, std::numeric_limits<int64_t>::max() / 2));
  EXPECT_EQ(checked_row_bytes(DType::kI8, std::numeric_limits<int64_t>::max()), std::numeric_limits<int64_t>::max());
  EXPECT_THROW(row_bytes(DType::kQ4_K, 500), InternalError);
}

}  // namespace
}  // namespace atelier
