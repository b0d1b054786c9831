#include "atelier/models/pull.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "atelier/io/file.h"
#include "atelier/io/sha256.h"
#include "tests/support/file_server.h"
#include "tests/support/temporary_folder.h"

namespace atelier::models {
namespace {

std::string sha256(const std::string& text) {
  io::Sha256 sha;
  sha.update(text.data(), text.size());
  return sha.hex_digest();
}

class Pull : public ::testing::Test {
 protected:
  Pull() { setenv("ATELIER_HOME", home_.path().c_str(), 1); }
  ~Pull() override { unsetenv("ATELIER_HOME"); }

  // A repository with these files; weights have their SHA-256 in the listing.
  void repository(const std::string& name, const std::vector<std::pair<std::string, std::string>>& files) {
    std::string listing = "[{\"type\":\"directory\",\"path\":\"onnx\"}";
    for (const auto& [path, body] : files) {
      hub_.put("/" + name + "/resolve/main/" + path, {body, "\"" + sha256(body) + "\""});
      listing += ",{\"type\":\"file\",\"path\":\"" + path + "\",\"size\":" + std::to_string(body.size());
      if (path.ends_with(".gguf") || path.ends_with(".safetensors")) listing += ",\"lfs\":{\"oid\":\"" + sha256(body) + "\"}";
      listing += "}";
    }
    hub_.put("/api/models/" + name + "/tree/main?recursive=true", {listing + "]"});
  }
  Result<StoredModel> pull(const std::string& source, PullOptions options = {}) {
    options.hub = hub_.url();
    return pull_model(source, options, {});
  }
  std::string text_of(const std::string& path) const { return io::read_file(home_ / ("models/" + path)).value(); }
  bool is_there(const std::string& path) const { return std::filesystem::exists(home_ / ("models/" + path)); }

  testing::TemporaryFolder home_;
  testing::FileServer hub_;
};

TEST_F(Pull, brings_a_folder_in_hugging_face_layout_and_no_more) {
  repository("acme/Tiny-1B", {{"config.json", "{}"},
                              {"model.safetensors", "weights"},
                              {"tokenizer.json", "{}"},
                              {"1_Pooling/config.json", "{}"},
                              {"LICENSE", "free"},
                              {"pytorch_model.bin", "pickle"},
                              {"onnx/model.onnx", "other"}});
  const StoredModel model = pull("acme/Tiny-1B").value();
  EXPECT_EQ(model.name, "tiny-1b");
  EXPECT_EQ(model.bytes, 7);
  EXPECT_EQ(resolve_model_path("tiny-1b").value(), model.path);
  for (const char* file : {"config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json", "LICENSE"}) {
    EXPECT_TRUE(is_there(std::string("tiny-1b/") + file)) << file;
  }
  EXPECT_FALSE(is_there("tiny-1b/pytorch_model.bin"));
  EXPECT_FALSE(is_there("tiny-1b/onnx"));
  EXPECT_FALSE(is_there(".tiny-1b.partial"));
  EXPECT_EQ(pull("acme/Tiny-1B").status().message(),
            "tiny-1b: is in the store already; atelier rm tiny-1b removes it, --as gives another name");
}

TEST_F(Pull, chooses_among_gguf_files_by_variant_with_all_parts) {
  repository("acme/m-GGUF", {{"m-Q4_0.gguf", "four"},
                             {"m-Q8_0-00001-of-00002.gguf", "eight 1"},
                             {"m-Q8_0-00002-of-00002.gguf", "eight 2"},
                             {"mmproj-m.gguf", "eyes"}});
  EXPECT_EQ(pull("acme/m-GGUF").status().message(),
            "acme/m-GGUF: 2 of its 2 GGUF models are there; name one behind a colon, acme/m-GGUF:VARIANT: m-Q4_0, m-Q8_0");
  EXPECT_NE(pull("acme/m-GGUF:Q5_0").status().message().find("0 of its 2 GGUF models end in"), std::string::npos);
  EXPECT_EQ(pull("acme/m-GGUF:q8_0").value().name, "m-gguf-q8_0");
  EXPECT_EQ(text_of("m-gguf-q8_0/m-Q8_0-00002-of-00002.gguf"), "eight 2");
  EXPECT_EQ(pull("acme/m-GGUF:Q4_0", {.name = "four"}).value().name, "four");
}

TEST_F(Pull, brings_one_file_by_its_address) {
  hub_.put("/files/Small.gguf", {"small"});
  const std::string url = hub_.url("/files/Small.gguf");
  EXPECT_NE(pull(url, {.sha256 = sha256("large")}).status().message().find("it was removed, pull it again"), std::string::npos);
  EXPECT_EQ(pull(url, {.sha256 = sha256("small")}).value().name, "small");
  EXPECT_EQ(text_of("small/model.gguf"), "small");
}

TEST_F(Pull, keeps_what_is_there_when_it_is_stopped_and_asks_for_the_rest) {
  repository("acme/m", {{"config.json", "{}"}, {"model.safetensors", std::string(300'000, 'w')}});
  PullOptions options;
  options.hub = hub_.url();
  const auto stop = [](const std::string& file, int64_t done, int64_t) { return file == "config.json" || done < 1000; };
  EXPECT_EQ(pull_model("acme/m", options, stop).status().code(), StatusCode::kCancelled);
  EXPECT_FALSE(is_there("m"));
  EXPECT_TRUE(stored_models().empty());
  ASSERT_TRUE(pull("acme/m").ok());
  EXPECT_EQ(text_of("m/model.safetensors"), std::string(300'000, 'w'));
  EXPECT_NE(hub_.requests().back().find("Range: bytes="), std::string::npos);
}

TEST_F(Pull, sends_the_token_to_the_hub_alone) {
  repository("acme/m", {{"m.gguf", "x"}});
  testing::FileServer other;
  other.put("/y.gguf", {"y"});
  ASSERT_TRUE(pull("acme/m", {.token = "secret"}).ok());
  for (const std::string& request : hub_.requests()) EXPECT_NE(request.find("Bearer secret"), std::string::npos) << request;
  ASSERT_TRUE(pull(other.url("/y.gguf"), {.token = "secret"}).ok());
  EXPECT_EQ(other.requests().at(0).find("secret"), std::string::npos);
}

TEST_F(Pull, trusts_no_path_and_no_checksum_of_a_server) {
  repository("acme/evil", {{"../../outside.gguf", "x"}});
  EXPECT_NE(pull("acme/evil").status().message().find("not trusted"), std::string::npos);
  repository("acme/wrong", {{"m.gguf", "right"}});
  hub_.put("/acme/wrong/resolve/main/m.gguf", {"wrong"});
  EXPECT_EQ(pull("acme/wrong").status().code(), StatusCode::kCorrupt);
  EXPECT_FALSE(is_there("wrong"));
  hub_.put("/api/models/acme/odd/tree/main?recursive=true", {"{\"error\":\"x\"}"});
  EXPECT_EQ(pull("acme/odd").status().code(), StatusCode::kCorrupt);
}

// Hubs keep large files elsewhere and answer with a redirect there.
class PullByRedirect : public Pull {
 protected:
  PullByRedirect() {
    repository("acme/m", {{"config.json", "{}"}, {"model.safetensors", weights_}});
    hub_.put("/acme/m/resolve/main/model.safetensors", {"", "\"hub\"", 302, elsewhere_.url("/blob")});
    elsewhere_.put("/blob", {weights_, "\"blob\""});
  }
  const std::string weights_ = std::string(200'000, 'w') + std::string(100'000, 'x');
  testing::FileServer elsewhere_;
};

TEST_F(PullByRedirect, sends_no_token_there) {
  ASSERT_TRUE(pull("acme/m", {.token = "secret"}).ok());
  EXPECT_EQ(text_of("m/model.safetensors"), weights_);
  for (const std::string& request : hub_.requests()) EXPECT_NE(request.find("Bearer secret"), std::string::npos) << request;
  ASSERT_EQ(elsewhere_.requests().size(), 1u);
  EXPECT_EQ(elsewhere_.requests()[0].find("secret"), std::string::npos) << elsewhere_.requests()[0];
}

TEST_F(PullByRedirect, goes_on_behind_a_cut_and_keeps_the_token_at_home) {
  elsewhere_.break_off(2, 70'000);
  ASSERT_TRUE(pull("acme/m", {.token = "secret"}).ok());
  EXPECT_EQ(text_of("m/model.safetensors"), weights_);
  ASSERT_EQ(elsewhere_.requests().size(), 3u);
  EXPECT_NE(elsewhere_.requests()[1].find("Range: bytes=70000-"), std::string::npos);
  EXPECT_NE(elsewhere_.requests()[2].find("Range: bytes=140000-"), std::string::npos);
  for (const std::string& request : elsewhere_.requests()) EXPECT_EQ(request.find("secret"), std::string::npos) << request;
}

TEST_F(PullByRedirect, refuses_what_is_not_the_hubs_checksum_and_begins_anew) {
  elsewhere_.put("/blob", {std::string(weights_.size(), 'e'), "\"blob\""});
  const Status refused = pull("acme/m").status();
  EXPECT_EQ(refused.code(), StatusCode::kCorrupt);
  EXPECT_NE(refused.message().find("its SHA-256 is " + sha256(std::string(weights_.size(), 'e')) + ", must be " + sha256(weights_)),
            std::string::npos)
      << refused.message();
  EXPECT_FALSE(is_there("m"));
  elsewhere_.put("/blob", {weights_, "\"blob\""});
  ASSERT_TRUE(pull("acme/m").ok());
  EXPECT_EQ(elsewhere_.requests().back().find("Range:"), std::string::npos) << "nothing of what was refused";
  EXPECT_EQ(text_of("m/model.safetensors"), weights_);
}

TEST_F(PullByRedirect, does_not_follow_to_a_private_address_where_the_source_is_somebody_elses_word) {
  const Status refused = pull("acme/m", {.token = "secret", .is_public_only = true}).status();
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(refused.message().find("leads to an address that is not of the public internet"), std::string::npos) << refused.message();
  EXPECT_TRUE(elsewhere_.requests().empty());
  EXPECT_FALSE(is_there("m"));
  // The hub itself may be at home, and what it redirects to itself.
  hub_.put("/acme/m/resolve/main/model.safetensors", {"", "\"hub\"", 307, hub_.url("/blob")});
  hub_.put("/blob", {weights_});
  EXPECT_TRUE(pull("acme/m", {.is_public_only = true}).ok());
}

TEST_F(PullByRedirect, ends_where_redirects_do_not) {
  hub_.put("/acme/m/resolve/main/model.safetensors", {"", "\"hub\"", 302, elsewhere_.url("/loop")});
  elsewhere_.put("/loop", {"", "\"1\"", 302, elsewhere_.url("/loop")});
  EXPECT_EQ(pull("acme/m").status().code(), StatusCode::kIo);
  EXPECT_EQ(elsewhere_.requests().size(), 10u);
}

TEST_F(Pull, names_what_is_wrong_with_a_source) {
  EXPECT_EQ(pull("smollm2").status().message(), "\"smollm2\": is no source; write owner/name, owner/name:VARIANT or https://.../NAME.gguf");
  EXPECT_EQ(pull("a/../b").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(pull("acme/none").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(pull("acme/m", {.name = "../x"}).status().code(), StatusCode::kNotFound) << "the hub is asked first";
  repository("acme/pickles", {{"config.json", "{}"}, {"pytorch_model.bin", "x"}});
  EXPECT_NE(pull("acme/pickles").status().message().find("pickle files, which can run code"), std::string::npos);
  repository("acme/m", {{"m.gguf", "x"}});
  EXPECT_NE(pull("acme/m", {.name = "../x"}).status().message().find("is no name for a model"), std::string::npos);
}

TEST_F(Pull, removes_a_model_and_nothing_else) {
  repository("acme/m", {{"m.gguf", "x"}});
  ASSERT_TRUE(pull("acme/m").ok());
  EXPECT_EQ(remove_model("mm").status().message().find("\"mm\": is not in the store"), 0u);
  EXPECT_EQ(remove_model("..").status().code(), StatusCode::kNotFound);
  const StoredModel alias = add_alias("small", "m").value();
  EXPECT_EQ(alias.alias_of, "m");
  EXPECT_EQ(resolve_model_path("small").ok(), true);
  EXPECT_EQ(add_alias("small", "m").status().code(), StatusCode::kInvalidArgument) << "taken";
  EXPECT_EQ(add_alias("../m", "m").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(add_alias("other", "mm").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(add_alias("third", "small").value().alias_of, "m");
  EXPECT_EQ(remove_model("small").value().alias_of, "m");
  EXPECT_EQ(stored_models().size(), 2u) << "the model and its third name";
  EXPECT_EQ(remove_model("m").value().bytes, 1);
  EXPECT_TRUE(stored_models().empty()) << "second names go with their model";
  EXPECT_FALSE(is_there("m"));
}

}  // namespace
}  // namespace atelier::models
