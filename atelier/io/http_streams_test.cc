#include "atelier/io/http_streams.h"

#include <gtest/gtest.h>

#include "tests/support/file_server.h"

namespace atelier::io {
namespace {

struct Got {
  std::string body;
  std::optional<Result<int>> status;
};

HttpStreams::Hooks hooks_for(Got& got) {
  return {[&](std::string_view bytes) {
            got.body += bytes;
            return true;
          },
          [&](const Result<int>& status) { got.status = status; }};
}

void run(HttpStreams& streams) {
  for (int i = 0; streams.num_open() > 0 && i < 1000; ++i) ASSERT_TRUE(streams.run(0.05).ok());
}

TEST(HttpStreams, many_answers_come_at_once) {
  testing::FileServer server;
  const auto streams = HttpStreams::create().value();
  std::vector<Got> got(5);
  for (size_t i = 0; i < got.size(); ++i) {
    server.put("/" + std::to_string(i), {std::string(1000 * (i + 1), 'x')});
    streams->start({server.url("/" + std::to_string(i)), {}, ""}, hooks_for(got[i]));
  }
  Got missing, unreachable;
  streams->start({server.url("/none"), {}, ""}, hooks_for(missing));
  streams->start({"http://127.0.0.1:1/", {}, ""}, hooks_for(unreachable));
  run(*streams);
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].status->value(), 200);
    EXPECT_EQ(got[i].body.size(), 1000 * (i + 1));
  }
  EXPECT_EQ(missing.status->value(), 404);
  EXPECT_EQ(unreachable.status->status().code(), StatusCode::kIo);
}

TEST(HttpStreams, one_may_leave_and_start_another) {
  testing::FileServer server;
  server.put("/long", {std::string(5'000'000, 'x')});
  server.put("/short", {"hello"});
  const auto streams = HttpStreams::create().value();
  Got second;
  HttpStreams::Hooks first;
  first.on_bytes = [](std::string_view) { return false; };
  first.on_end = [&](const Result<int>& status) {
    EXPECT_EQ(status.status().code(), StatusCode::kCancelled);
    streams->start({server.url("/short"), {}, ""}, hooks_for(second));
  };
  streams->start({server.url("/long"), {}, ""}, first);
  run(*streams);
  EXPECT_EQ(second.body, "hello");
}

}  // namespace
}  // namespace atelier::io
