// Trainers beside the reference implementations (tests/golden/make_trainer_goldens.py), and what must not be seen in their results.
#include "atelier/tokenize/trainer.h"

#include <gtest/gtest.h>

#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"
#include "atelier/parallel/parallel.h"
#include "tests/support/temporary_folder.h"

namespace atelier::tokenize {
namespace {

const std::string kGoldens = ATELIER_SOURCE_DIR "/tests/golden/trainers/";

Json goldens() { return Json::parse(io::read_file(kGoldens + "goldens.json").value(), "goldens.json").value(); }

std::vector<std::string> strings(const Json& array) {
  std::vector<std::string> out;
  for (const Json& entry : array.as_array()) out.push_back(entry.as_string());
  return out;
}

TrainerOptions options_of(const Json& json) {
  TrainerOptions options;
  options.vocab_size = json.get_int("vocab_size").value();
  options.min_frequency = json.get_int("min_frequency", 0).value();
  options.lowercase = json.get_bool("lowercase", false).value();
  options.initial_alphabet = json.get_string("initial_alphabet", "").value();
  options.end_of_word_suffix = json.get_string("suffix", "").value();
  if (json.contains("limit_alphabet")) options.limit_alphabet = json.get_int("limit_alphabet").value();
  if (json.contains("max_token_length")) options.max_token_length = json.get_int("max_token_length").value();
  if (const Json* tokens = json.find("special_tokens")) options.special_tokens = strings(*tokens);
  return options;
}

Result<Json> train(const std::string& kind, const TrainerOptions& options, const std::string& path = kGoldens + "text.txt",
                   const CountOptions& count = {}) {
  ATELIER_TRY(const TrainerDef* trainer, find_trainer(kind));
  ATELIER_TRY(Corpus corpus, Corpus::open({path}, "text"));
  return train_tokenizer(*trainer, options, corpus, count);
}

std::unique_ptr<Tokenizer> load(const Json& file) { return Tokenizer::from_tokenizer_json(file.dump(), "trained").value(); }

std::vector<std::string> tokens_of(const Json& file) {
  const Json& vocab = *file.find("model")->find("vocab");
  std::vector<std::string> tokens(vocab.as_object().size());
  for (const auto& [token, id] : vocab.as_object()) tokens[static_cast<size_t>(id.as_int())] = token;
  return tokens;
}

TEST(Trainer, learns_the_vocabularies_and_merges_of_the_references) {
  const Json all = goldens();
  const std::string sample = all.get_string("sample").value();
  for (const Json& golden : all.find("cases")->as_array()) {
    SCOPED_TRACE(golden.get_string("name").value());
    const Json file = train(golden.get_string("kind").value(), options_of(*golden.find("options"))).value();
    EXPECT_EQ(tokens_of(file), strings(*golden.find("tokens")));
    if (const Json* merges = file.find("model")->find("merges")) {
      EXPECT_EQ(*merges, *golden.find("merges"));
    }
    EncodeOptions bare;
    bare.add_special_tokens = false;
    std::vector<TokenId> ids;
    for (const Json& id : golden.find("ids")->as_array()) ids.push_back(static_cast<TokenId>(id.as_int()));
    EXPECT_EQ(load(file)->encode_ids(sample, bare).value(), ids);
  }
}

TEST(Trainer, unigram_needs_no_more_tokens_than_sentencepiece) {
  const Json golden = *goldens().find("unigram");
  TrainerOptions options;
  options.vocab_size = golden.get_int("vocab_size").value();
  const Json file = train("unigram", options).value();
  EXPECT_EQ(static_cast<int64_t>(file.find("model")->find("vocab")->as_array().size()), options.vocab_size);
  const auto ids = load(file)->encode_ids(io::read_file(kGoldens + "text.txt").value()).value();
  EXPECT_LE(static_cast<double>(ids.size()), 1.01 * golden.get_double("tokens").value());
}

TEST(Trainer, lossless_kinds_give_the_text_back) {
  const std::string text = io::read_file(kGoldens + "text.txt").value();
  for (const char* kind : {"bpe", "byte", "byte-level-bpe", "character"}) {
    TrainerOptions options;
    options.vocab_size = 400;
    const auto tokenizer = load(train(kind, options).value());
    EXPECT_EQ(tokenizer->decode(tokenizer->encode_ids(text).value()).value(), text) << kind;
  }
}

TEST(Trainer, neither_threads_nor_spilling_change_a_byte) {
  const int threads = num_threads();
  const testing::TemporaryFolder folder;
  for (const TrainerDef* trainer : trainers()) {
    TrainerOptions options;
    options.vocab_size = 450;
    CountOptions spilling;
    spilling.memory_bytes = 1;
    spilling.scratch_folder = folder.path();
    set_num_threads(1);
    const std::string one = train(trainer->name, options).value().dump();
    const std::string spilled = train(trainer->name, options, kGoldens + "text.txt", spilling).value().dump();
    set_num_threads(3);
    const std::string three = train(trainer->name, options).value().dump();
    set_num_threads(threads);
    EXPECT_EQ(one, three) << trainer->name;
    EXPECT_EQ(one, spilled) << trainer->name;
  }
  EXPECT_TRUE(io::list_directory(folder.path()).value().empty());
}

TEST(Trainer, every_trainer_has_a_pipeline_that_loads_with_its_special_tokens_first) {
  for (const TrainerDef* trainer : trainers()) {
    TrainerOptions options;
    options.vocab_size = 450;
    options.special_tokens = std::vector<std::string>{"<pad>", "[UNK]", "<end>"};
    const auto tokenizer = load(train(trainer->name, options).value());
    for (TokenId id = 0; id < 3; ++id) {
      EXPECT_EQ(tokenizer->id_to_token(id), (*options.special_tokens)[static_cast<size_t>(id)]) << trainer->name;
      EXPECT_TRUE(tokenizer->is_special(id)) << trainer->name;
    }
  }
}

TEST(Trainer, names_what_is_wrong) {
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(io::write_file(folder / "empty.txt", "").ok());
  ASSERT_TRUE(io::write_file(folder / "a.jsonl", "{\"text\": \"fine\"}\n{\"content\": \"not\"}\n").ok());
  TrainerOptions small, twice, none, broken;
  broken.special_tokens = std::vector<std::string>{"<\xff>"};
  small.vocab_size = 20;
  twice.special_tokens = std::vector<std::string>{"<unk>", "<unk>"};
  none.special_tokens = std::vector<std::string>{};
  const auto message = [](const Result<Json>& result) { return result.status().message(); };
  EXPECT_NE(message(train("unigran", {})).find("did you mean unigram?"), std::string::npos);
  EXPECT_NE(message(train("bpe", {}, folder / "empty.txt")).find("empty"), std::string::npos);
  EXPECT_NE(message(train("bpe", {}, folder / "missing.txt")).find("no such file"), std::string::npos);
  EXPECT_NE(message(train("bpe", {}, folder / "a.jsonl")).find("a.jsonl:2: has no text under \"text\""), std::string::npos);
  EXPECT_NE(message(train("bpe", broken)).find("no UTF-8"), std::string::npos);
  EXPECT_NE(message(train("bpe", twice)).find("given twice"), std::string::npos);
  EXPECT_NE(message(train("wordpiece", none)).find("[UNK]"), std::string::npos);
  for (const char* kind : {"bpe", "byte-level-bpe", "wordpiece", "unigram"}) {
    EXPECT_NE(message(train(kind, small)).find("vocabulary size: 20, the alphabet and the special tokens alone are"), std::string::npos)
        << kind;
  }
}

TEST(Trainer, stops_where_the_progress_says_so) {
  CountOptions stopping;
  stopping.progress = [](const char* stage, int64_t, int64_t) { return std::string_view(stage) != "merge pairs"; };
  EXPECT_EQ(train("bpe", {}, kGoldens + "text.txt", stopping).status().code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace atelier::tokenize
