// Texts to vectors, pairs, labels, entities and answers, on tiny encoders with a vocabulary of forty words.
#include "atelier/models/sentence_encoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "atelier/models/encoder_input.h"
#include "atelier/models/head_outputs.h"
#include "tests/support/encoder_folder.h"

namespace atelier::models {
namespace {

using atelier::testing::EncoderFolder;

std::unique_ptr<Model> load(const EncoderFolder& folder) {
  Result<std::unique_ptr<Model>> model = load_model(folder.path(), {.precision = Precision::kF32});
  EXPECT_TRUE(model.ok()) << model.status().message();
  return model.ok() ? std::move(model).value() : nullptr;
}

constexpr const char* kModules = R"([{"type": "sentence_transformers.models.Transformer", "path": ""},
 {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}, {"type": "sentence_transformers.models.Normalize", "path": "2"}])";

std::vector<float> encode(Model& model, const SentenceSettings& settings, const std::vector<std::string>& texts) {
  SentenceEncoder encoder = SentenceEncoder::create(model, settings).value();
  std::vector<float> vectors(texts.size() * static_cast<size_t>(encoder.width()));
  const Status status = encoder.encode(texts, vectors, [] { return true; });
  EXPECT_TRUE(status.ok()) << status.message();
  return vectors;
}

TEST(SentenceSettings, come_from_the_folder) {
  const EncoderFolder folder("bert");
  folder.write("modules.json", kModules);
  folder.write("1_Pooling/config.json",
               R"({"word_embedding_dimension": 20, "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false})");
  folder.write("sentence_bert_config.json", R"({"max_seq_length": 12})");
  folder.write("config_sentence_transformers.json", R"({"prompts": {"query": "w1 "}, "default_prompt_name": "query"})");
  const auto model = load(folder);
  ASSERT_NE(model, nullptr);
  const SentenceSettings settings = read_sentence_settings(*model).value();
  EXPECT_EQ(settings.pooling, Pooling::kFirst);
  EXPECT_TRUE(settings.is_normalized);
  EXPECT_EQ(settings.max_length, 12);
  EXPECT_EQ(settings.prompt, "w1 ");
}

TEST(SentenceSettings, are_the_plain_mean_without_modules_and_refuse_unknown_ones) {
  const EncoderFolder folder("bert");
  const SentenceSettings plain = read_sentence_settings(*load(folder)).value();
  EXPECT_EQ(plain.pooling, Pooling::kMean);
  EXPECT_FALSE(plain.is_normalized);
  folder.write("modules.json", R"([{"type": "sentence_transformers.models.Dense", "path": "3"}])");
  EXPECT_EQ(read_sentence_settings(*load(folder)).status().message(),
            "modules.json: module \"sentence_transformers.models.Dense\" is not known; known: Transformer, Pooling, Normalize");
  folder.write("modules.json", kModules);
  folder.write("1_Pooling/config.json", R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true})");
  EXPECT_FALSE(read_sentence_settings(*load(folder)).ok());
}

TEST(SentenceEncoder, pools_the_rows_that_the_model_gives) {
  const EncoderFolder folder("bert");
  const auto model = load(folder);
  const tokenize::Tokenizer& tokenizer = **model->tokenizer();
  const std::vector<int32_t> ids = tokenizer.encode_ids("the cats sat.").value();
  const nn::RowRun run{nullptr, static_cast<int64_t>(ids.size())};
  ASSERT_TRUE(model->run(ids, std::span(&run, 1)).ok());
  const int64_t T = run.num_rows, C = 20;
  std::vector<float> rows(model->hidden().f32(), model->hidden().f32() + T * C);
  for (const Pooling pooling : {Pooling::kMean, Pooling::kFirst, Pooling::kLast}) {
    SentenceSettings settings{.pooling = pooling, .is_normalized = true, .max_length = 80};
    const std::vector<float> vector = encode(*model, settings, {"the cats sat."});
    std::vector<double> wanted(C, 0.0);
    for (int64_t t = 0; t < T; ++t) {
      const bool counts = pooling == Pooling::kMean || t == (pooling == Pooling::kFirst ? 0 : T - 1);
      for (int64_t c = 0; counts && c < C; ++c) wanted[c] += rows[t * C + c];
    }
    double squares = 0;
    for (const double x : wanted) squares += x * x;
    for (int64_t c = 0; c < C; ++c) EXPECT_NEAR(vector[c], wanted[c] / std::sqrt(squares), 1e-6);
  }
}

TEST(SentenceEncoder, a_text_has_the_bits_that_it_has_alone_and_keeps_its_place) {
  const EncoderFolder folder("bert");
  const auto model = load(folder);
  const SentenceSettings settings{.max_length = 16};
  std::vector<std::string> texts;
  for (int i = 0; i < 90; ++i) {
    std::string text;
    for (int j = 0; j < (i * 7) % 13; ++j) text += "w" + std::to_string((i + j) % 27) + " ";
    texts.push_back(text);  // the first is empty
  }
  const std::vector<float> together = encode(*model, settings, texts);
  for (const size_t i : {size_t{0}, size_t{1}, size_t{44}, size_t{89}}) {
    const std::vector<float> alone = encode(*model, settings, {texts[i]});
    EXPECT_EQ(std::memcmp(alone.data(), together.data() + i * 20, 20 * sizeof(float)), 0) << i;
  }
}

TEST(SentenceEncoder, cuts_the_end_of_long_texts_and_puts_prompts_before) {
  const EncoderFolder folder("bert");
  const auto model = load(folder);
  const SentenceSettings settings{.max_length = 5}, prompted{.max_length = 5, .prompt = "the "};
  EXPECT_EQ(encode(*model, settings, {"the cat sat on the mat"}), encode(*model, settings, {"the cat sat"}));
  EXPECT_EQ(encode(*model, prompted, {"cat sat"}), encode(*model, settings, {"the cat sat"}));
  SentenceEncoder encoder = SentenceEncoder::create(*model, settings).value();
  std::vector<float> vectors(40);
  const std::vector<std::string> texts = {"the cat sat on", "cat"};
  ASSERT_TRUE(encoder.encode(texts, vectors, [] { return true; }).ok());
  EXPECT_EQ(encoder.counts().cut_texts, 1);
  EXPECT_EQ(encoder.counts().tokens, 5 + 3);
  EXPECT_EQ(encoder.encode(texts, vectors, [] { return false; }).code(), StatusCode::kCancelled);
  EXPECT_FALSE(SentenceEncoder::create(*model, {.max_length = 2}).ok());
}

TEST(EncoderInput, pairs_have_segments_and_lose_the_end_of_the_longer_text) {
  const EncoderFolder folder("bert");
  const auto model = load(folder);
  const tokenize::Tokenizer& tokenizer = **model->tokenizer();
  const auto id = [&](const char* token) { return *tokenizer.token_to_id(token); };
  const EncoderInput whole = encode_pair(tokenizer, "the cat", "sat on mats", 80).value();
  EXPECT_EQ(whole.ids,
            (std::vector<int32_t>{id("[CLS]"), id("the"), id("cat"), id("[SEP]"), id("sat"), id("on"), id("mat"), id("##s"), id("[SEP]")}));
  EXPECT_EQ(whole.segments, (std::vector<int32_t>{0, 0, 0, 0, 1, 1, 1, 1, 1}));
  EXPECT_EQ(whole.offsets[7], (std::pair<size_t, size_t>{10, 11}));
  EXPECT_EQ(whole.second_begin, 4);
  EXPECT_EQ(whole.second_end, 8);
  const EncoderInput cut = encode_pair(tokenizer, "the cat", "sat on mats", 6).value();
  EXPECT_EQ(cut.ids, (std::vector<int32_t>{id("[CLS]"), id("the"), id("cat"), id("[SEP]"), id("sat"), id("[SEP]")}));
  const EncoderInput second = encode_pair(tokenizer, "the cat", "sat on mats", 7, {.is_second_cut_only = true}).value();
  EXPECT_EQ(second.second_end - second.second_begin, 2);
  EXPECT_FALSE(encode_pair(tokenizer, "the cat", "sat", 5, {.is_second_cut_only = true}).ok());
}

TEST(HeadOutputs, values_follow_the_kind_of_problem) {
  nn::HeadSpec head{.kind = nn::HeadKind::kSequence, .num_labels = 2, .labels = {"yes", "no"}};
  const float logits[] = {1.0f, 0.0f};
  EXPECT_NEAR(label_values(head, logits)[0], 0.731059, 1e-6);
  head.problem = nn::ProblemKind::kManyLabels;
  EXPECT_NEAR(label_values(head, logits)[1], 0.5, 1e-12);
  head.problem = nn::ProblemKind::kRegression;
  EXPECT_EQ(label_values(head, logits)[0], 1);
  EXPECT_EQ(label_name(head, 1), "no");
  EXPECT_EQ(label_name(head, 7), "LABEL_7");
}

TEST(HeadOutputs, words_take_the_label_of_their_first_token_and_join_to_entities) {
  const nn::HeadSpec head{.kind = nn::HeadKind::kToken, .num_labels = 4, .labels = {"O", "B-PER", "I-PER", "B-LOC"}};
  // [CLS] Ma##rie Curie in Pa##ris Rome [SEP], with Rome right behind Paris.
  const EncoderInput input{
      {2, 5, 6, 7, 8, 9, 10, 11, 3}, {}, {{0, 0}, {0, 2}, {2, 5}, {6, 11}, {12, 14}, {15, 17}, {17, 20}, {21, 25}, {0, 0}}};
  std::vector<float> logits(9 * 4, 0.0f);
  const int best[] = {0, 1, 0, 2, 0, 3, 1, 3, 1};
  for (size_t t = 0; t < 9; ++t) logits[t * 4 + static_cast<size_t>(best[t])] = 5;
  const std::vector<TaggedSpan> spans = tagged_spans(head, logits, input);
  ASSERT_EQ(spans.size(), 3u);
  EXPECT_EQ(spans[0].label, "PER");
  EXPECT_EQ(spans[0].begin, 0u);
  EXPECT_EQ(spans[0].end, 11u);
  EXPECT_EQ(spans[1].label, "LOC");
  EXPECT_EQ(spans[1].end, 20u);
  EXPECT_EQ(spans[2].begin, 21u);
  EXPECT_NEAR(spans[0].score, std::exp(5.0) / (std::exp(5.0) + 3), 1e-6);
}

TEST(HeadOutputs, answers_lie_in_the_second_text_and_end_behind_their_beginning) {
  EncoderInput input{{2, 5, 3, 6, 7, 8, 3}, {}, {{0, 0}, {0, 0}, {0, 0}, {0, 3}, {4, 7}, {8, 9}, {0, 0}}, 3, 6};
  std::vector<float> logits(14, 0.0f);
  logits[2 * 1] = 50;     // a start in the question
  logits[2 * 4] = 4;      // "cat" begins
  logits[2 * 3 + 1] = 9;  // an end before it
  logits[2 * 5 + 1] = 8.5f;
  const auto answers = best_answers(logits, input, 15, 2);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].begin, 4u);
  EXPECT_EQ(answers[0].end, 9u);
  EXPECT_GT(answers[0].score, answers[1].score);
  EXPECT_EQ(best_answers(logits, input, 1, 1)[0].begin, 0u);  // one token only: the best end on its own
}

}  // namespace
}  // namespace atelier::models
