#include "atelier/kernels/isa.h"

#include <gtest/gtest.h>

namespace atelier::kernels {
namespace {

TEST(IsaTest, the_default_is_the_highest_supported_rung) {
  const std::vector<Isa> supported = supported_isas();
  ASSERT_FALSE(supported.empty());
  EXPECT_EQ(supported.front(), Isa::kScalar);
  EXPECT_EQ(current_isa(), supported.back());
  for (const Isa isa : supported) EXPECT_TRUE(cpu_supports(isa));
}

TEST(IsaTest, force_takes_a_supported_name_and_refuses_others_by_naming_the_choices) {
  const Isa before = current_isa();
  EXPECT_TRUE(force_isa("scalar").ok());
  EXPECT_EQ(current_isa(), Isa::kScalar);
  const Status refused = force_isa("sse9");
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(refused.message().find("sse9"), std::string::npos);
  EXPECT_NE(refused.message().find("scalar"), std::string::npos);
  EXPECT_EQ(current_isa(), Isa::kScalar);
  EXPECT_TRUE(force_isa(isa_name(before)).ok());
}

}  // namespace
}  // namespace atelier::kernels
