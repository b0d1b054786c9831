// Decoders with an encoder against transformers: states and logits of the tiny random models of tests/golden/seq2seq, each sequence alone
// there and together here, and the promises on the same models.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <numeric>

#include "atelier/models/model.h"
#include "atelier/models/trainable.h"
#include "atelier/parallel/parallel.h"
#include "tests/support/seq2seq_golden.h"
#include "tests/support/temporary_folder.h"

namespace atelier::models {
namespace {

using testing::Seq2SeqGolden;
using Sequence = Seq2SeqGolden::Sequence;

std::unique_ptr<Model> load(const std::filesystem::path& path, const LoadOptions& options) {
  Result<std::unique_ptr<Model>> model = load_model(path, options);
  EXPECT_TRUE(model.ok()) << model.status().message();
  return model.ok() ? std::move(model).value() : nullptr;
}

struct Outputs {
  std::vector<float> states, logits;
};

// All sources read together, then all decoder rows in one pass, or cut in two.
Outputs run(Model& model, std::span<const Sequence> sequences, bool is_cut = false) {
  std::vector<nn::KvCache> sources, caches;
  std::vector<int32_t> source_ids;
  for (const Sequence& sequence : sequences) {
    sources.push_back(model.new_cache(std::ssize(sequence.source)).value());
    caches.push_back(model.new_cache(std::ssize(sequence.ids)).value());
    source_ids.insert(source_ids.end(), sequence.source.begin(), sequence.source.end());
  }
  std::vector<nn::SourceRun> source_runs;
  for (size_t i = 0; i < sequences.size(); ++i) source_runs.push_back({&sources[i], std::ssize(sequences[i].source)});
  const Status read = model.read_sources(source_ids, source_runs);
  EXPECT_TRUE(read.ok()) << read.message();
  Outputs out;
  out.states.assign(model.hidden().f32(), model.hidden().f32() + model.hidden().count());

  const auto V = static_cast<size_t>(model.spec().vocab_size);
  std::vector<std::vector<float>> logits(sequences.size());
  for (int part = 0; part < (is_cut ? 2 : 1); ++part) {
    std::vector<int32_t> ids;
    std::vector<nn::RowRun> runs;
    for (size_t i = 0; i < sequences.size(); ++i) {
      const std::span<const int32_t> all = sequences[i].ids;
      const size_t cut = is_cut ? all.size() / 3 : 0;
      const auto rows = is_cut && part == 0 ? all.first(cut) : all.subspan(cut);
      ids.insert(ids.end(), rows.begin(), rows.end());
      runs.push_back({.cache = &caches[i], .num_rows = std::ssize(rows), .source = &sources[i]});
    }
    std::vector<int64_t> wanted(ids.size());
    std::iota(wanted.begin(), wanted.end(), 0);
    const auto values = model.forward_batch(ids, runs, wanted);
    EXPECT_TRUE(values.ok()) << values.status().message();
    size_t row = 0;
    for (size_t i = 0; i < sequences.size(); ++i) {
      const auto of_run = values->subspan(row * V, static_cast<size_t>(runs[i].num_rows) * V);
      logits[i].insert(logits[i].end(), of_run.begin(), of_run.end());
      row += static_cast<size_t>(runs[i].num_rows);
    }
  }
  for (const auto& values : logits) out.logits.insert(out.logits.end(), values.begin(), values.end());
  return out;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double worst = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) worst = std::max(worst, std::abs(static_cast<double>(a[i]) - b[i]));
  return worst;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

class GoldenSeq2Seq : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_num_threads(1); }
  void TearDown() override { set_num_threads(available_cores()); }
  Seq2SeqGolden golden_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Models, GoldenSeq2Seq, ::testing::ValuesIn(Seq2SeqGolden::names()), [](const auto& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(GoldenSeq2Seq, states_and_logits_equal_transformers) {
  const auto model = load(golden_.folder, {.precision = Precision::kF32});
  ASSERT_NE(model, nullptr);
  const Outputs outputs = run(*model, golden_.sequences);
  std::vector<float> states, logits;
  for (const Sequence& sequence : golden_.sequences) {
    states.insert(states.end(), sequence.states.begin(), sequence.states.end());
    logits.insert(logits.end(), sequence.logits.begin(), sequence.logits.end());
  }
  EXPECT_LE(distance(outputs.states, states), golden_.tolerance);
  EXPECT_LE(distance(outputs.logits, logits), golden_.tolerance);
}

TEST_P(GoldenSeq2Seq, the_same_bits_alone_beside_others_cut_and_on_any_threads) {
  for (const Precision precision : {Precision::kF32, Precision::kAuto}) {
    const auto model = load(golden_.folder, {.precision = precision});
    ASSERT_NE(model, nullptr);
    const Outputs together = run(*model, golden_.sequences);
    Outputs alone;
    set_num_threads(2);
    for (const Sequence& sequence : golden_.sequences) {
      const Outputs outputs = run(*model, std::span(&sequence, 1));
      alone.states.insert(alone.states.end(), outputs.states.begin(), outputs.states.end());
      alone.logits.insert(alone.logits.end(), outputs.logits.begin(), outputs.logits.end());
    }
    EXPECT_TRUE(same_bits(together.states, alone.states));
    EXPECT_TRUE(same_bits(together.logits, alone.logits));
    std::vector<Sequence> longer = golden_.sequences;
    for (Sequence& sequence : longer) sequence.ids.resize(std::max<size_t>(3, sequence.ids.size()), 5);
    EXPECT_TRUE(same_bits(run(*model, longer, true).logits, run(*model, longer).logits));
    set_num_threads(1);
  }
}

TEST(Seq2Seq, refuses_what_it_cannot_do_in_one_line) {
  const auto model = load(Seq2SeqGolden("t5").folder, {});
  ASSERT_NE(model, nullptr);
  nn::KvCache cache = model->new_cache().value();
  const std::vector<int32_t> ids = {0, 5}, strange = {70};
  EXPECT_EQ(model->forward(ids, cache).status().message(), "t5 has an encoder, which has read no source; use translate or generate");
  nn::KvCache source = model->new_cache(2).value();
  const nn::SourceRun one{&source, 1}, none{&source, 0}, three{&source, 3};
  EXPECT_EQ(model->read_sources(strange, std::span(&one, 1)).message(), "token id 70 is outside the vocabulary of 70");
  EXPECT_EQ(model->read_sources({}, std::span(&none, 1)).message(), "source: 0 tokens, must be 1 to 512; cut it into shorter texts");
  const std::vector<int32_t> three_ids = {5, 5, 5};
  EXPECT_FALSE(model->read_sources(three_ids, std::span(&three, 1)).ok());
  const auto decoder = load(std::filesystem::path(ATELIER_SOURCE_DIR) / "tests/golden/models/llama2", {});
  ASSERT_NE(decoder, nullptr);
  EXPECT_FALSE(decoder->read_sources(ids, {}).ok());
  EXPECT_EQ(TrainableModel::from_checkpoint(Seq2SeqGolden("t5").folder, {}).status().code(), StatusCode::kUnsupported);
}

// A golden T5 with other files beside its weights.
class EditedFolder {
 public:
  EditedFolder() {
    for (const auto& entry : std::filesystem::directory_iterator(Seq2SeqGolden("t5").folder)) {
      if (entry.path().filename() == "generation_config.json") continue;
      std::filesystem::create_symlink(entry.path(), std::filesystem::path(folder_.path()) / entry.path().filename());
    }
  }
  Result<std::unique_ptr<Model>> load(const std::string& generation) const {
    std::ofstream(folder_.path() + "/generation_config.json") << generation;
    return load_model(folder_.path(), {});
  }

 private:
  testing::TemporaryFolder folder_;
};

TEST(Seq2Seq, reads_how_its_answers_are_to_be_searched) {
  const EditedFolder folder;
  const auto model = folder.load(R"({"decoder_start_token_id": 3, "forced_bos_token_id": 4, "forced_eos_token_id": 1, "num_beams": 5,
      "no_repeat_ngram_size": 3, "min_length": 7, "max_length": 30, "length_penalty": 2.0, "early_stopping": true, "bad_words_ids": [[9], [0]]})");
  ASSERT_TRUE(model.ok()) << model.status().message();
  const GenerationDefaults& defaults = (*model)->defaults();
  EXPECT_EQ(defaults.decoder_start, 3);
  EXPECT_EQ(defaults.forced_first, 4);
  EXPECT_EQ(defaults.forced_last, 1);
  EXPECT_EQ(defaults.num_beams, 5);
  EXPECT_EQ(defaults.no_repeat_ngram, 3);
  EXPECT_EQ(defaults.min_length, 7);
  EXPECT_EQ(defaults.max_length, 30);
  EXPECT_EQ(defaults.length_penalty, 2.0);
  EXPECT_EQ(defaults.early_stopping, true);
  EXPECT_EQ(defaults.banned_ids, (std::vector<int32_t>{9, 0}));
  EXPECT_EQ(folder.load(R"({"bos_token_id": 2})").value()->defaults().decoder_start, 2);
  EXPECT_EQ(folder.load(R"({"bad_words_ids": [[9, 8]]})").status().message(),
            "bad_words_ids: [9, 8], only single tokens can be banned; take it out");
  EXPECT_FALSE(folder.load(R"({"decoder_start_token_id": -3})").ok());
}

TEST(Seq2Seq, tells_architectures_of_one_class_apart) {
  const auto arch = [](const std::string& json) {
    return std::string(find_by_hf_class("T5ForConditionalGeneration", Json::parse(json, "config").value())->name);
  };
  EXPECT_EQ(arch("{}"), "t5");
  EXPECT_EQ(arch(R"({"feed_forward_proj": "gated-gelu"})"), "t5_v1_1");
}

}  // namespace
}  // namespace atelier::models
