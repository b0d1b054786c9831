#include "atelier/io/http_get.h"

#include <gtest/gtest.h>

#include "atelier/io/file.h"
#include "tests/support/file_server.h"
#include "tests/support/temporary_folder.h"

namespace atelier::io {
namespace {

class HttpGet : public ::testing::Test {
 protected:
  std::string text_of(const std::string& path) { return is_file(folder_ / path) ? read_file(folder_ / path).value() : "(none)"; }

  testing::FileServer server_;
  testing::TemporaryFolder folder_;
  const std::string body_ = std::string(200'000, 'a') + std::string(100'000, 'b');
};

TEST_F(HttpGet, brings_what_is_there_and_says_what_is_not) {
  server_.put("/a", {"hello"});
  EXPECT_EQ(http_get({server_.url("/a")}, 100).value(), "hello");
  EXPECT_EQ(http_get({server_.url("/b")}, 100).status().message(),
            server_.url("/b") + ": the server answers 404 (no file); check the address");
  EXPECT_EQ(http_get({server_.url("/a")}, 4).status().message(),
            server_.url("/a") + ": the answer has more than 4 bytes; check the address");
  EXPECT_EQ(http_get({"http://127.0.0.1:1/"}, 4).status().code(), StatusCode::kIo);
  EXPECT_FALSE(http_get({"file:///etc/hostname"}, 100).ok()) << "http and https only";
}

TEST_F(HttpGet, a_refusal_names_the_token) {
  server_.put("/a", {"no", "\"1\"", 401});
  EXPECT_NE(http_get({server_.url("/a")}, 100).status().message().find("HF_TOKEN"), std::string::npos);
}

TEST_F(HttpGet, a_token_does_not_follow_to_another_host) {
  testing::FileServer other;
  other.put("/b", {"there"});
  server_.put("/a", {"", "\"1\"", 302, other.url("/b")});
  EXPECT_EQ(http_get({server_.url("/a"), {"Authorization: Bearer secret"}}, 100).value(), "there");
  EXPECT_NE(server_.requests().at(0).find("Bearer secret"), std::string::npos);
  EXPECT_EQ(other.requests().at(0).find("Bearer secret"), std::string::npos);
}

TEST_F(HttpGet, a_connection_that_breaks_off_goes_on_where_it_was) {
  server_.put("/a", {body_});
  server_.break_off(2, 70'000);
  int64_t last = 0;
  bool is_ascending = true;
  const auto progress = [&](int64_t done, int64_t total) {
    is_ascending = is_ascending && done >= last && (total == 0 || total == static_cast<int64_t>(body_.size()));
    last = done;
    return true;
  };
  ASSERT_TRUE(http_download({server_.url("/a")}, folder_ / "a", progress).ok());
  EXPECT_EQ(text_of("a"), body_);
  EXPECT_TRUE(is_ascending);
  ASSERT_EQ(server_.requests().size(), 3u);
  EXPECT_NE(server_.requests()[2].find("Range: bytes=140000-"), std::string::npos);
  EXPECT_FALSE(is_file(folder_ / "a.part"));
  EXPECT_FALSE(is_file(folder_ / "a.part.etag"));
}

TEST_F(HttpGet, a_stopped_download_goes_on_in_another_call_unless_the_file_has_changed) {
  server_.put("/a", {body_});
  const auto stop_early = [](int64_t done, int64_t) { return done == 0; };
  EXPECT_EQ(http_download({server_.url("/a")}, folder_ / "a", stop_early).code(), StatusCode::kCancelled);
  EXPECT_FALSE(is_file(folder_ / "a"));
  ASSERT_GT(file_size(folder_ / "a.part").value(), 0);

  server_.put("/a", {std::string(body_.size(), 'c'), "\"2\""});
  ASSERT_TRUE(http_download({server_.url("/a")}, folder_ / "a", {}).ok());
  EXPECT_EQ(text_of("a"), std::string(body_.size(), 'c')) << "nothing of the old file";
}

TEST_F(HttpGet, a_part_that_is_whole_already_and_an_empty_file_end_well) {
  server_.put("/a", {"abc"});
  server_.put("/empty", {""});
  std::FILE* part = std::fopen((folder_ / "a.part").c_str(), "wb");
  std::fputs("abc", part);
  std::fclose(part);
  std::FILE* tag = std::fopen((folder_ / "a.part.etag").c_str(), "wb");
  std::fputs("\"1\"", tag);
  std::fclose(tag);
  ASSERT_TRUE(http_download({server_.url("/a")}, folder_ / "a", {}).ok());
  EXPECT_EQ(text_of("a"), "abc");
  ASSERT_TRUE(http_download({server_.url("/empty")}, folder_ / "empty", {}).ok());
  EXPECT_EQ(text_of("empty"), "");
}

TEST_F(HttpGet, a_server_that_never_gets_through_is_an_error) {
  server_.put("/a", {body_});
  server_.break_off(100, 0);
  EXPECT_EQ(http_download({server_.url("/a")}, folder_ / "a", {}).code(), StatusCode::kIo);
  EXPECT_FALSE(is_file(folder_ / "a"));
}

}  // namespace
}  // namespace atelier::io
