#include "atelier/base/status.h"

#include <gtest/gtest.h>

#include <memory>

#include "atelier/base/error.h"

namespace atelier {
namespace {

Result<int> half_of(int i) {
  if (i % 2 != 0) return Status::invalid(std::to_string(i) + " is odd");
  return i / 2;
}

Result<int> quarter_of(int i) {
  ATELIER_TRY(const int half, half_of(i));
  ATELIER_TRY(const int quarter, half_of(half));
  return quarter;
}

Status check_even(int i) {
  ATELIER_RETURN_IF_ERROR(half_of(i).status());
  return Status::ok_status();
}

TEST(Status, TryReturnsTheFirstError) {
  EXPECT_EQ(quarter_of(8).value(), 2);
  EXPECT_EQ(quarter_of(6).status().message(), "3 is odd");
  EXPECT_EQ(quarter_of(5).status().message(), "5 is odd");
  EXPECT_TRUE(check_even(2).ok());
  EXPECT_EQ(check_even(3).code(), StatusCode::kInvalidArgument);
}

TEST(Status, ContextStandsBeforeTheMessageAndKeepsTheCode) {
  const Status status = Status::corrupt("too short").with_context("model.gguf");
  EXPECT_EQ(status.message(), "model.gguf: too short");
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
}

TEST(Status, ReadingTheValueOfAFailedResultThrows) {
  const Result<int> failed = Status::not_found("gone");
  EXPECT_FALSE(failed.ok());
  EXPECT_THROW(failed.value(), InternalError);
  EXPECT_THROW(*failed, InternalError);
}

TEST(Status, ResultsCarryMoveOnlyValues) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 7);
}

TEST(Check, ABrokenInvariantThrowsWithItsPlace) {
  try {
    ATELIER_CHECK(1 + 1 == 3);
    FAIL();
  } catch (const InternalError& e) {
    EXPECT_NE(std::string(e.what()).find("1 + 1 == 3"), std::string::npos);
    EXPECT_NE(std::string(e.what()).find("status_test.cc"), std::string::npos);
  }
}

}  // namespace
}  // namespace atelier
