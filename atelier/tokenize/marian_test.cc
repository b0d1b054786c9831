// Ids of the tiny Marian vocabulary of tests/golden/seq2seq/marian, against MarianTokenizer of transformers 5.23 (translations.json).
#include "atelier/tokenize/marian.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "atelier/base/json.h"
#include "atelier/io/file.h"

namespace atelier::tokenize {
namespace {

const std::string kFolder = ATELIER_SOURCE_DIR "/tests/golden/seq2seq/marian/";

std::string text_of(const std::string& name) { return io::read_file(kFolder + name).value(); }

TEST(MarianTokenizer, gives_transformers_ids_and_reads_both_languages_pieces) {
  const auto tokenizer = marian_tokenizer(text_of("source.spm"), text_of("vocab.json"), "source.spm").value();
  const Json entries = Json::parse(text_of("translations.json"), "translations.json").value();
  for (const Json& entry : entries.as_array()) {
    std::vector<TokenId> ids, said;
    for (const Json& id : entry.find("source_ids")->as_array()) ids.push_back(static_cast<TokenId>(id.as_int()));
    for (const Json& id : entry.find("ids")->as_array()) said.push_back(static_cast<TokenId>(id.as_int()));
    const std::string source = entry.get_string("source").value();
    const size_t border = source.starts_with(">>") ? source.find(' ') + 1 : 0;
    std::vector<TokenId> got = tokenizer->encode(source.substr(border)).value().ids;
    if (border > 0) got.insert(got.begin(), *tokenizer->token_to_id(source.substr(0, border - 1)));
    EXPECT_EQ(got, ids) << source;
    EXPECT_EQ(tokenizer->decode(said).value(), entry.get_string("text").value());
  }
}

TEST(MarianTokenizer, no_text_becomes_a_language) {
  const auto tokenizer = marian_tokenizer(text_of("source.spm"), text_of("vocab.json"), "source.spm").value();
  const auto ids = tokenizer->encode(">>fra<< the cat").value().ids;
  EXPECT_EQ(std::count(ids.begin(), ids.end(), *tokenizer->token_to_id(">>fra<<")), 0);
  EXPECT_EQ(ids.back(), *tokenizer->eos());
}

TEST(MarianTokenizer, refuses_broken_vocabularies_in_one_line) {
  const std::string model = text_of("source.spm");
  const auto reason = [&](const std::string& vocab) { return marian_tokenizer(model, vocab, "m").status().message(); };
  EXPECT_EQ(reason("[]"), "m: vocab.json: is no object of pieces and ids");
  EXPECT_EQ(reason(R"({"</s>": 0, "<unk>": 0})"), "m: vocab.json: piece \"<unk>\" has id 0, must be one of its own below 2");
  EXPECT_EQ(reason(R"({"</s>": 0, "<unk>": 7})"), "m: vocab.json: piece \"<unk>\" has id 7, must be one of its own below 2");
  EXPECT_EQ(reason(R"({"a": 0, "<unk>": 1})"), "m: vocab.json has no </s> or no <unk>");
}

}  // namespace
}  // namespace atelier::tokenize
