// POST /api/pull over HTTP, from a hub on this machine.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/file_server.h"
#include "tests/support/json_at.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_server.h"

namespace atelier::serve {
namespace {

using testing::at;
using testing::HttpAnswer;

class OllamaPull : public ::testing::Test {
 protected:
  OllamaPull() {
    setenv("ATELIER_HOME", home_.path().c_str(), 1);
    setenv("HF_ENDPOINT", hub_.url().c_str(), 1);
    setenv("HF_TOKEN", "secret", 1);
    hub_.put("/api/models/acme/m/tree/main?recursive=true", {R"([{"type": "file", "path": "m.gguf", "size": 5}])"});
  }
  ~OllamaPull() override {
    for (const char* name : {"ATELIER_HOME", "HF_ENDPOINT", "HF_TOKEN"}) unsetenv(name);
  }

  testing::TemporaryFolder home_;
  testing::FileServer hub_, inside_;
  TestServer server_{{.service = {.allow_admin = true}}};
};

TEST_F(OllamaPull, TellsHowItGoesAndRedirectsAtHomeAreFollowed) {
  hub_.put("/acme/m/resolve/main/m.gguf", {"", "\"1\"", 302, hub_.url("/blob")});
  hub_.put("/blob", {"GGUF!"});
  const HttpAnswer answer = server_.post("/api/pull", R"({"model": "acme/m"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_TRUE(answer.body.starts_with("{\"status\": \"pulling manifest\"}\n")) << answer.body;
  EXPECT_TRUE(answer.body.ends_with("{\"status\": \"success\"}\n")) << answer.body;
}

TEST_F(OllamaPull, FollowsNoRedirectToAPrivateAddress) {
  hub_.put("/acme/m/resolve/main/m.gguf", {"", "\"1\"", 302, inside_.url("/admin")});
  inside_.put("/admin", {"GGUF!"});
  const HttpAnswer answer = server_.post("/api/pull", R"({"model": "acme/m", "stream": false})");
  EXPECT_EQ(answer.status, 400) << answer.body;
  EXPECT_NE(at(answer.json(), {"error"}).as_string().find("not of the public internet"), std::string::npos) << answer.body;
  EXPECT_TRUE(inside_.requests().empty());
  const HttpAnswer streamed = server_.post("/api/pull", R"({"model": "acme/m"})");
  EXPECT_NE(streamed.body.find("{\"error\": "), std::string::npos) << streamed.body;
  EXPECT_TRUE(inside_.requests().empty());
}

}  // namespace
}  // namespace atelier::serve
