#include "atelier/generate/infilling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "atelier/base/json.h"
#include "atelier/io/file.h"

namespace atelier::generate {
namespace {

// The tiny model's tokenizer with more special tokens, whose ids follow its own.
std::unique_ptr<tokenize::Tokenizer> tokenizer_with(const std::vector<std::string>& signs) {
  const std::string path = ATELIER_SOURCE_DIR "/tests/golden/models/smollm2/tokenizer.json";
  Json json = Json::parse(io::read_file(path, 1 << 20).value(), path).value();
  Json added = *json.find("added_tokens");
  int64_t id = tokenize::Tokenizer::from_tokenizer_json(json.dump(), "plain").value()->vocab_size();
  for (const std::string& sign : signs) {
    Json token = added.as_array()[0];
    added.push_back(token.set("id", id++).set("content", sign));
  }
  json.set("added_tokens", std::move(added));
  return tokenize::Tokenizer::from_tokenizer_json(json.dump(), "with signs").value();
}

TEST(Infilling, puts_the_texts_between_the_familys_signs) {
  for (const std::vector<std::string>& signs : {std::vector<std::string>{"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"},
                                                {"<fim_prefix>", "<fim_suffix>", "<fim_middle>"},
                                                {"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"}}) {
    const auto tokenizer = tokenizer_with(signs);
    const auto ids = infilling_prompt(*tokenizer, "def f(x):\n  return", "\n# <|im_end|> " + signs[2]).value();
    EXPECT_EQ(tokenizer->decode(ids, false).value(), signs[0] + "def f(x):\n  return" + signs[1] + "\n# <|im_end|> " + signs[2] + signs[2]);
    EXPECT_EQ(ids.front(), *tokenizer->token_to_id(signs[0]));
    EXPECT_EQ(ids.back(), *tokenizer->token_to_id(signs[2]));
    const auto is_special = [&](int32_t id) { return tokenizer->is_special(id); };
    EXPECT_EQ(std::count_if(ids.begin(), ids.end(), is_special), 3) << "texts form no special tokens";
  }
}

TEST(Infilling, is_refused_by_a_model_without_signs) {
  const Status refused = infilling_prompt(*tokenizer_with({"<fim_prefix>"}), "a", "b").status();
  EXPECT_EQ(refused.code(), StatusCode::kUnsupported);
  EXPECT_NE(refused.message().find("suffix"), std::string::npos);
}

}  // namespace
}  // namespace atelier::generate
