// What every tokenizer promises: special tokens only from trusted text, streams that never split a character, linear time, and one
// clear line for input that makes no sense.
#include "atelier/tokenize/tokenizer.h"

#include <gtest/gtest.h>

#include <chrono>

#include "atelier/io/file.h"
#include "atelier/text/utf8.h"
#include "atelier/tokenize/byte_level.h"

namespace atelier::tokenize {
namespace {

// All single bytes, a few merges, one control and one user-defined token.
GgufVocabulary small_vocabulary(const std::string& pre = "gpt-2") {
  GgufVocabulary gguf{.model = "gpt2", .pre = pre};
  for (int byte = 0; byte < 256; ++byte) gguf.tokens.emplace_back(byte_to_character(static_cast<unsigned char>(byte)));
  for (const char* merge : {"a a", "aa aa", "h i", "Ġ hi", "Ġ Ġ"}) {
    gguf.merges.emplace_back(merge);
    std::string token = merge;
    token.erase(token.find(' '), 1);
    gguf.tokens.push_back(token);
  }
  gguf.types.assign(gguf.tokens.size(), 1);
  for (const auto& [token, type] : {std::pair{"<|end|>", 3}, std::pair{"<user>", 4}}) {
    gguf.tokens.emplace_back(token);
    gguf.types.push_back(type);
  }
  gguf.eos = static_cast<TokenId>(gguf.tokens.size()) - 2;
  return gguf;
}

std::unique_ptr<Tokenizer> small_tokenizer(const std::string& pre = "gpt-2") {
  return Tokenizer::from_gguf(small_vocabulary(pre), "small").value();
}

// What stands around texts and between two, as BERT's, RoBERTa's and TemplateProcessing's forms have it.
TEST(tokenizer, the_frame_of_texts_and_pairs_is_that_of_the_post_processor) {
  const auto frame_of = [](const std::string& post_processor) {
    const std::string json = R"({"version": "1.0", "added_tokens": [{"id": 0, "content": "<s>", "special": true},
      {"id": 1, "content": "</s>", "special": true}], "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "decoder": null,
      "model": {"type": "WordLevel", "unk_token": "</s>", "vocab": {"<s>": 0, "</s>": 1, "word": 2}}, "post_processor": )" +
                             post_processor + "}";
    return Tokenizer::from_tokenizer_json(json, "test").value()->frame();
  };
  const TextFrame bert = frame_of(R"({"type": "BertProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0]})");
  EXPECT_EQ(bert.between, std::vector<TokenId>{1});
  EXPECT_EQ(bert.second_segment, 1);
  const TextFrame roberta =
      frame_of(R"({"type": "RobertaProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0], "trim_offsets": true, "add_prefix_space": false})");
  EXPECT_EQ(roberta.before, std::vector<TokenId>{0});
  EXPECT_EQ(roberta.between, (std::vector<TokenId>{1, 1}));
  EXPECT_EQ(roberta.second_segment, 0);
  const std::string tokens = R"("special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]},
    "</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}})";
  const std::string single = R"("single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
    {"SpecialToken": {"id": "</s>", "type_id": 0}}])";
  const std::string pair = R"("pair": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
    {"SpecialToken": {"id": "</s>", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "</s>", "type_id": 1}}])";
  const TextFrame both = frame_of("{\"type\": \"TemplateProcessing\", " + single + ", " + pair + ", " + tokens + "}");
  EXPECT_TRUE(both.has_pairs);
  EXPECT_EQ(both.second_segment, 1);
  EXPECT_EQ(both.after, std::vector<TokenId>{1});
  EXPECT_FALSE(frame_of("{\"type\": \"TemplateProcessing\", " + single + ", " + tokens + "}").has_pairs);
}

TEST(tokenizer, special_tokens_form_only_where_the_whole_token_is_trusted) {
  const auto tokenizer = small_tokenizer();
  const TokenId end = *tokenizer->eos();
  const std::string text = "<|end|><|end|>";
  const auto count = [&](const EncodeOptions& options) {
    const Encoding encoding = tokenizer->encode(text, options).value();
    return std::count(encoding.ids.begin(), encoding.ids.end(), end);
  };
  EXPECT_EQ(count({}), 0);
  EXPECT_EQ(count({.parse_special = true}), 2);
  const std::vector<std::pair<size_t, size_t>> second = {{7, 14}}, torn = {{0, 3}, {4, 7}}, touching = {{0, 3}, {3, 7}}, none;
  EXPECT_EQ(count({.parse_special = true, .trusted = &second}), 1);
  EXPECT_EQ(count({.trusted = &torn}), 0);
  EXPECT_EQ(count({.trusted = &touching}), 1);
  EXPECT_EQ(count({.parse_special = true, .trusted = &none}), 0);
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)->ids).value(), text);
}

TEST(tokenizer, user_defined_tokens_always_form) {
  const auto tokenizer = small_tokenizer();
  EXPECT_EQ(tokenizer->encode("<user>")->ids, std::vector<TokenId>{*tokenizer->token_to_id("<user>")});
  EXPECT_FALSE(tokenizer->is_special(*tokenizer->token_to_id("<user>")));
  EXPECT_TRUE(tokenizer->is_special(*tokenizer->eos()));
}

TEST(tokenizer, invalid_bytes_are_read_as_replacement_characters_with_their_offsets) {
  const auto tokenizer = small_tokenizer();
  const Encoding encoding = tokenizer->encode("a\xE2\x82z").value();
  EXPECT_EQ(tokenizer->decode(encoding.ids).value(), "a\uFFFDz");
  ASSERT_EQ(encoding.ids.size(), 5u);  // a, three bytes of U+FFFD, z
  EXPECT_EQ(encoding.offsets[1], (std::pair<size_t, size_t>(1, 3)));
  EXPECT_EQ(encoding.offsets[4], (std::pair<size_t, size_t>(3, 4)));
}

TEST(tokenizer, offsets_stay_ordered_when_normalization_makes_marks_change_places) {
  const auto tokenizer = small_tokenizer("qwen2");
  const std::string text = "q\u0307\u0323x";  // NFC puts the dot below before the dot above
  const Encoding encoding = tokenizer->encode(text).value();
  EXPECT_EQ(tokenizer->decode(encoding.ids).value(), "q\u0323\u0307x");
  for (const auto& [begin, end] : encoding.offsets) EXPECT_LE(begin, end);
}

TEST(tokenizer, a_stream_hands_out_whole_characters_as_soon_as_they_are_complete) {
  const auto tokenizer = small_tokenizer();
  const Encoding encoding = tokenizer->encode("é🙂x").value();
  StreamDecoder stream(*tokenizer);
  std::vector<std::string> parts;
  for (const TokenId id : encoding.ids) parts.push_back(stream.push(id).value());
  EXPECT_EQ(parts, (std::vector<std::string>{"", "é", "", "", "", "🙂", "x"}));
  EXPECT_EQ(stream.finish().value(), "");
}

TEST(tokenizer, incomplete_bytes_at_the_end_of_a_stream_become_one_replacement_character) {
  const auto tokenizer = small_tokenizer();
  std::vector<TokenId> ids = tokenizer->encode("🙂").value().ids;
  ids.pop_back();
  StreamDecoder stream(*tokenizer);
  for (const TokenId id : ids) EXPECT_EQ(stream.push(id).value(), "");
  EXPECT_EQ(stream.finish().value(), "\uFFFD");
  EXPECT_EQ(tokenizer->decode(ids).value(), "\uFFFD");
}

TEST(tokenizer, ids_outside_the_vocabulary_are_refused) {
  const auto tokenizer = small_tokenizer();
  for (const TokenId id : {TokenId{-1}, static_cast<TokenId>(tokenizer->vocab_size()), TokenId{2147483647}}) {
    EXPECT_FALSE(tokenizer->decode(std::vector<TokenId>{id}).ok());
    EXPECT_EQ(tokenizer->id_to_token(id), "");
    EXPECT_FALSE(tokenizer->is_special(id));
  }
}

TEST(tokenizer, a_megabyte_of_one_character_is_no_trouble) {
  for (const char* pre : {"gpt-2", "llama-bpe", "qwen2", "gpt-4o", "bloom", "falcon", "deepseek-llm", "deepseek-v3"}) {
    const auto tokenizer = small_tokenizer(pre);
    const auto begin = std::chrono::steady_clock::now();
    for (const char* unit : {"a", " ", "7", "!", "\n", "A", "é"}) {
      std::string text;
      while (text.size() < (1 << 17)) text += unit;
      const Encoding encoding = tokenizer->encode(text + "x").value();
      EXPECT_EQ(tokenizer->decode(encoding.ids).value(), text + "x");
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(seconds.count(), 60) << pre;  // under two seconds on an idle core; hours if it were quadratic
  }
}

TEST(tokenizer, llama_vocabularies_fall_back_to_bytes_and_put_a_space_in_front) {
  GgufVocabulary gguf{.model = "llama", .pre = "default"};
  gguf.tokens = {"<unk>", "<s>", "</s>"};
  gguf.types = {2, 3, 3};
  for (int byte = 0; byte < 256; ++byte) {
    char token[8];
    std::snprintf(token, sizeof token, "<0x%02X>", byte);
    gguf.tokens.emplace_back(token);
    gguf.types.push_back(6);
  }
  for (const char* piece : {"▁", "a", "b", "ab", "▁ab"}) {
    gguf.tokens.emplace_back(piece);
    gguf.types.push_back(1);
  }
  gguf.scores.assign(gguf.tokens.size(), 0);
  for (size_t i = 259; i < gguf.scores.size(); ++i) gguf.scores[i] = -static_cast<float>(i);
  gguf.bos = 1;
  const auto tokenizer = Tokenizer::from_gguf(gguf, "llama").value();
  EXPECT_EQ(tokenizer->encode("ab")->ids, (std::vector<TokenId>{1, 263}));
  const Encoding encoding = tokenizer->encode("é<0x41>", {.add_special_tokens = false}).value();
  EXPECT_EQ(std::vector<TokenId>(encoding.ids.begin(), encoding.ids.begin() + 3), (std::vector<TokenId>{259, 3 + 0xC3, 3 + 0xA9}));
  EXPECT_EQ(tokenizer->decode(encoding.ids).value(), "é<0x41>");  // text never spells a byte token
  EXPECT_EQ(encoding.offsets[1], (std::pair<size_t, size_t>(0, 2)));
}

TEST(tokenizer, t5_vocabularies_take_the_likeliest_segmentation_and_end_with_eos) {
  GgufVocabulary gguf{.model = "t5", .pre = "default"};
  gguf.tokens = {"<pad>", "</s>", "<unk>", "▁", "a", "b", "c", "▁ab", "bc", "▁a"};
  gguf.scores = {0, 0, 0, -3, -4, -4, -4, -3, -1, -1.5};
  gguf.types = {3, 3, 2, 1, 1, 1, 1, 1, 1, 1};
  gguf.eos = 1;
  gguf.unk = 2;
  const auto tokenizer = Tokenizer::from_gguf(gguf, "t5").value();
  EXPECT_EQ(tokenizer->kind(), "SentencePiece Unigram");
  EXPECT_EQ(tokenizer->encode("abc")->ids, (std::vector<TokenId>{9, 8, 1})) << "-2.5, where the longest piece first gives -7";
  EXPECT_EQ(tokenizer->encode("a?", {.add_special_tokens = false})->ids, (std::vector<TokenId>{9, 2}));
  EXPECT_EQ(tokenizer->encode("</s>a", {.add_special_tokens = false})->ids.back(), 4) << "text forges no special token";
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("ab c")->ids).value(), "ab c");
  gguf.scores.clear();
  EXPECT_FALSE(Tokenizer::from_gguf(gguf, "t5").ok());
}

TEST(tokenizer, bert_vocabularies_are_read_in_both_spellings) {
  const auto encode = [](std::vector<std::string> words) {
    GgufVocabulary gguf{.model = "bert", .pre = "jina"};
    gguf.tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]"};
    gguf.types = {3, 3, 3, 3};
    for (std::string& word : words) gguf.tokens.push_back(std::move(word));
    gguf.types.resize(gguf.tokens.size(), 1);
    gguf.unk = 1;
    return Tokenizer::from_gguf(gguf, "bert").value()->encode("Embeddings, xyz").value().ids;
  };
  const std::vector<TokenId> expected = {2, 4, 5, 6, 1, 3};
  EXPECT_EQ(encode({"▁embed", "dings", "▁,"}), expected);
  EXPECT_EQ(encode({"embed", "##dings", ","}), expected);
}

TEST(tokenizer, tiktoken_ranks_merge_by_rank) {
  const std::string ranks = "YQ== 0\nYg== 1\nYWI= 2\nYWJh 3\nIA== 4\n";  // a, b, ab, aba, space
  const auto tokenizer = Tokenizer::from_tiktoken(ranks, "cl100k_base", "ranks", {{"<|endoftext|>", 5}}).value();
  EXPECT_EQ(tokenizer->encode("abab aba")->ids, (std::vector<TokenId>{2, 2, 4, 3}));
  EXPECT_EQ(tokenizer->encode("a<|endoftext|>", {.parse_special = true})->ids.back(), 5);
  EXPECT_FALSE(tokenizer->encode("c").ok());  // a byte without a rank
}

TEST(tokenizer, older_files_give_the_ids_of_their_tokenizer) {
  const auto gpt1 =
      Tokenizer::from_bpe_files(R"({"<unk>": 0, "h": 1, "i</w>": 2, "hi</w>": 3, "!</w>": 4})", "#version: 0.2\nh i</w>\n", "gpt1");
  ASSERT_TRUE(gpt1.ok()) << gpt1.status().message();
  EXPECT_EQ((*gpt1)->encode("Hi! hi?")->ids, (std::vector<TokenId>{3, 4, 3, 0}));
  EXPECT_EQ((*gpt1)->decode(std::vector<TokenId>{3, 3}).value(), "hi hi");
  const auto bert = Tokenizer::from_wordpiece_vocab("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhi\n##gh\n", "vocab.txt");
  ASSERT_TRUE(bert.ok()) << bert.status().message();
  EXPECT_EQ((*bert)->encode("high x")->ids, (std::vector<TokenId>{2, 4, 5, 1, 3}));
}

TEST(tokenizer, the_configuration_decides_whether_bos_and_eos_are_added) {
  const std::string json = R"({"model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "<s>": 1, "</s>": 2, "a": 3}, "unk_token": "[UNK]"}})";
  const auto ids = [&](const char* config) { return Tokenizer::from_tokenizer_json(json, "t", config).value()->encode("a")->ids; };
  EXPECT_EQ(ids(""), std::vector<TokenId>{3});
  EXPECT_EQ(ids(R"({"bos_token": "<s>", "eos_token": {"content": "</s>"}, "add_bos_token": true, "add_eos_token": true})"),
            (std::vector<TokenId>{1, 3, 2}));
  EXPECT_EQ(ids(R"({"bos_token": "<s>", "add_bos_token": false})"), std::vector<TokenId>{3});
}

TEST(tokenizer, what_makes_no_sense_is_refused_in_one_line) {
  const auto expect_refused = [](const Result<std::unique_ptr<Tokenizer>>& tokenizer) {
    ASSERT_FALSE(tokenizer.ok());
    EXPECT_EQ(tokenizer.status().message().find('\n'), std::string::npos);
    EXPECT_LT(tokenizer.status().message().size(), 400u);
  };
  for (const char* json :
       {"", "{}", "[]", R"({"model": 3})", R"({"model": {"type": "BPE"}})",
        R"({"model": {"type": "BPE", "vocab": {"a": 4000000000}, "merges": []}})",
        R"({"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}})",
        R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]}})",
        R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a  b"]}})",
        R"({"model": {"type": "Unigram", "vocab": [["a", 0.0]], "unk_id": 7}})", R"({"model": {"type": "Martian", "vocab": {}}})",
        R"({"model": {"type": "WordLevel", "vocab": {}}, "normalizer": {"type": "Replace", "pattern": {"Regex": "("}, "content": ""}})",
        R"({"model": {"type": "WordLevel", "vocab": {}}, "normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}})",
        R"({"model": {"type": "WordLevel", "vocab": {}}, "added_tokens": [{"id": 99999999, "content": "x"}]})"}) {
    expect_refused(Tokenizer::from_tokenizer_json(json, "bad.json"));
  }
  std::string nested = R"({"model": {"type": "WordLevel", "vocab": {}}, "normalizer": )";
  for (int i = 0; i < 60; ++i) nested += R"({"type": "Sequence", "normalizers": [)";
  expect_refused(Tokenizer::from_tokenizer_json(nested + std::string(60, '?'), "nested.json"));
  for (const std::string& model :
       {std::string("\x0a\xff\xff\xff\xff\x0f", 6), std::string("\x0a\x02\x18\x63", 4), std::string(), std::string("\x07")}) {
    expect_refused(Tokenizer::from_sentencepiece(model, "bad.model"));
  }
  GgufVocabulary gguf = small_vocabulary();
  gguf.pre = "smolm";
  expect_refused(Tokenizer::from_gguf(gguf, "pre"));
  gguf = small_vocabulary();
  gguf.eos = 5000;
  expect_refused(Tokenizer::from_gguf(gguf, "eos"));
  gguf = small_vocabulary();
  gguf.types.pop_back();
  expect_refused(Tokenizer::from_gguf(gguf, "types"));
}

}  // namespace
}  // namespace atelier::tokenize
