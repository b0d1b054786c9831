#include "atelier/serve/rate_limit.h"

#include <gtest/gtest.h>

#include "tests/support/test_server.h"

namespace atelier::serve {
namespace {

using std::chrono::seconds;

TEST(RateLimit, AMinutesWorthAtOnceAndThenOneByOne) {
  RateLimit limit(6);
  const RateLimit::Clock::time_point start;
  for (int i = 0; i < 6; ++i) EXPECT_EQ(limit.take("a", start), 0);
  EXPECT_NEAR(limit.take("a", start), 10, 1e-6);
  EXPECT_EQ(limit.take("b", start), 0) << "each client has its own";
  EXPECT_NEAR(limit.take("a", start + seconds(4)), 6, 1e-6);
  EXPECT_EQ(limit.take("a", start + seconds(11)), 0);
  EXPECT_GT(limit.take("a", start + seconds(11)), 0);
}

TEST(RateLimit, ForgetsWhoHasNotAskedForAMinute) {
  RateLimit limit(6);
  const RateLimit::Clock::time_point start;
  for (int i = 0; i < 5000; ++i) limit.take(std::to_string(i), start + seconds(i));
  EXPECT_LE(limit.num_clients(), 4096u);
  EXPECT_EQ(RateLimit(0).take("a", start), 0);
}

TEST(RateLimit, CountsByKeyAndSaysWhenToComeBack) {
  ServiceOptions options;
  ASSERT_TRUE(options.keys.add("0123456789abcdef-one").ok());
  ASSERT_TRUE(options.keys.add("0123456789abcdef-two").ok());
  options.requests_per_minute = 2;
  TestServer server({.service = std::move(options)});
  const auto ask = [&](const std::string& key) {
    return server.post("/tokenize", R"({"content": "a"})", "Authorization: Bearer 0123456789abcdef-" + key + "\r\n");
  };
  EXPECT_EQ(ask("one").status, 200);
  EXPECT_EQ(ask("one").status, 200);
  const auto refused = ask("one");
  EXPECT_EQ(refused.status, 429);
  EXPECT_NE(refused.head.find("Retry-After: 30"), std::string::npos) << refused.head;
  EXPECT_EQ(ask("two").status, 200);
  EXPECT_EQ(ask("none").status, 401) << "a key that is none takes nobody's";
  EXPECT_EQ(server.get("/health").status, 200);
}

}  // namespace
}  // namespace atelier::serve
