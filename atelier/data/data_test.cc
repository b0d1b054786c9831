// Orders, packing, mixtures and sources: what each promises of every draw, and that a cursor goes on where it was taken.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>
#include <set>

#include "atelier/data/example_rows.h"
#include "atelier/data/packing.h"
#include "atelier/data/shuffle.h"
#include "atelier/data/token_rows.h"
#include "atelier/io/file.h"

namespace atelier::data {
namespace {

TEST(Shuffle, visits_everything_once_in_an_order_of_its_own) {
  for (const int64_t count : {1, 2, 3, 10, 64, 1000}) {
    std::set<int64_t> seen;
    std::vector<int64_t> first, second;
    for (int64_t i = 0; i < count; ++i) {
      first.push_back(shuffled(1, 0, i, count));
      second.push_back(shuffled(1, 1, i, count));
      seen.insert(first.back());
    }
    EXPECT_EQ(static_cast<int64_t>(seen.size()), count);
    EXPECT_EQ(*seen.rbegin(), count - 1);
    if (count >= 10) {
      EXPECT_FALSE(std::is_sorted(first.begin(), first.end()));
      EXPECT_NE(first, second);
    }
  }
}

TEST(Packing, holds_everything_once_within_capacity_and_wastes_little) {
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    std::vector<int64_t> lengths(200);
    for (int64_t& length : lengths) length = 1 + static_cast<int64_t>(random() % 100);
    const auto rows = pack_best_fit(lengths, 128);
    std::set<int64_t> seen;
    for (const auto& row : rows) {
      int64_t sum = 0;
      for (const int64_t i : row) {
        sum += lengths[static_cast<size_t>(i)];
        EXPECT_TRUE(seen.insert(i).second);
      }
      EXPECT_LE(sum, 128);
    }
    EXPECT_EQ(seen.size(), lengths.size());
    const int64_t total = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
    EXPECT_LE(static_cast<int64_t>(rows.size()), (total + 127) / 128 * 11 / 9 + 1);
  }
  EXPECT_EQ(pack_best_fit(std::vector<int64_t>{3, 6, 4, 7}, 10), (std::vector<std::vector<int64_t>>{{3, 0}, {1, 2}}));
}

TEST(Mixture, draws_by_weight) {
  Mixture mixture({3, 1}, 5);
  int64_t of_first = 0;
  for (int i = 0; i < 4000; ++i) of_first += mixture.next().part == 0;
  EXPECT_NEAR(static_cast<double>(of_first), 3000, 100);
  EXPECT_FALSE(mixture.restore(Json::array().push_back(1)).ok());
}

std::vector<int32_t> counted(int32_t count) {
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  std::iota(tokens.begin(), tokens.end(), 0);
  return tokens;
}

// Rows from the cursor of place 5 are those that the first source gave from there.
void expect_resumes(RowSource& source, RowSource& other) {
  std::vector<Row> rows;
  Json cursor;
  for (int i = 0; i < 40; ++i) {
    if (i == 5) cursor = source.cursor();
    rows.push_back(source.next().value());
  }
  ASSERT_TRUE(other.restore(Json::parse(cursor.dump(), "cursor").value()).ok());
  for (size_t i = 5; i < 40; ++i) {
    const Row row = other.next().value();
    EXPECT_EQ(row.ids, rows[i].ids);
    EXPECT_EQ(row.labels, rows[i].labels);
    EXPECT_EQ(row.lengths, rows[i].lengths);
    EXPECT_EQ(row.samples, rows[i].samples);
  }
}

TEST(TokenRows, predict_the_next_token_and_resume) {
  const std::vector<int32_t> a = counted(101), b = counted(57);
  for (const TokenSampling sampling : {TokenSampling::kCrops, TokenSampling::kBlocks}) {
    const auto make = [&] { return token_rows({{a, 2}, {b, 1}}, sampling, 8, 11).value(); };
    const auto source = make(), other = make();
    expect_resumes(*source, *other);
    for (int i = 0; i < 50; ++i) {
      const Row row = source->next().value();
      ASSERT_EQ(row.ids.size(), 8u);
      for (size_t t = 0; t < 8; ++t) EXPECT_EQ(row.labels[t], row.ids[t] + 1);
    }
  }
  EXPECT_FALSE(token_rows({{b, 1}}, TokenSampling::kCrops, 57, 1).ok());
}

TEST(TokenRows, blocks_show_each_token_once_an_epoch) {
  const std::vector<int32_t> tokens = counted(101);
  const auto source = token_rows({{tokens, 1}}, TokenSampling::kBlocks, 10, 1).value();
  std::set<int32_t> seen;
  for (int i = 0; i < 10; ++i) {
    const Row row = source->next().value();
    seen.insert(row.ids.begin(), row.ids.end());
  }
  EXPECT_EQ(seen.size(), 100u);
  int64_t labelled = 0;
  for (const Row& row : consecutive_rows(tokens, 8)) labelled += row.num_labelled();
  EXPECT_EQ(labelled, 100);
}

// A tokenizer of words of tests/golden with a ChatML template.
struct Chat {
  Chat() { tokenizer = tokenize::Tokenizer::from_tokenizer_json(kTokenizer, "tokenizer.json").value(); }
  static constexpr const char* kTokenizer = R"({"version":"1.0","truncation":null,"padding":null,
    "added_tokens":[{"id":0,"content":"<|im_start|>","special":true,"single_word":false,"lstrip":false,"rstrip":false,"normalized":false},
                    {"id":1,"content":"<|im_end|>","special":true,"single_word":false,"lstrip":false,"rstrip":false,"normalized":false}],
    "normalizer":null,"pre_tokenizer":{"type":"Split","pattern":{"Regex":"\\w+|\\W"},"behavior":"Isolated","invert":false},
    "post_processor":null,"decoder":null,
    "model":{"type":"WordLevel","unk_token":"?","vocab":{"<|im_start|>":0,"<|im_end|>":1,"?":2,"user":3,"assistant":4,"\n":5,"one":6,"two":7,
    "three":8,"four":9," ":10,"<":11,"|":12,"im_end":13,">":14}}})";
  static constexpr const char* kTemplate = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}";
  std::unique_ptr<tokenize::Tokenizer> tokenizer;
};

Json turn(const char* role, const char* content) { return Json::object().set("role", role).set("content", content); }
Json conversation(std::initializer_list<Json> turns) {
  Json messages = Json::array();
  for (const Json& message : turns) messages.push_back(message);
  return Json::object().set("messages", messages);
}

TEST(Dialogue, loss_lies_on_answers_and_the_token_that_ends_them) {
  const Chat chat;
  const auto chat_template = tokenize::ChatTemplate::parse(Chat::kTemplate, "template").value();
  const DialogueEncoder encoder{chat.tokenizer.get(), &chat_template, "", "<|im_end|>", RecordFormat::kChat};
  const Example example =
      encoder
          .encode(conversation({turn("user", "one two"), turn("assistant", "three four"), turn("user", "one"), turn("assistant", "four")}))
          .value();
  //                        <s> user \n one _ two <e> \n <s> assistant \n three _ four <e> \n <s> user \n one <e> \n <s> assistant \n four
  //                        <e> (\n)
  const int32_t x = kIgnoredLabel;
  EXPECT_EQ(example.ids, (std::vector<int32_t>{0, 3, 5, 6, 10, 7, 1, 5, 0, 4, 5, 8, 10, 9, 1, 5, 0, 3, 5, 6, 1, 5, 0, 4, 5, 9, 1}));
  EXPECT_EQ(example.labels, (std::vector<int32_t>{x, x, x, x, x, x, x, x, x, x, 8, 10, 9, 1, x, x, x, x, x, x, x, x, x, x, 9, 1, x}));
}

TEST(Dialogue, a_message_that_spells_the_end_token_neither_ends_a_turn_nor_gains_loss) {
  const Chat chat;
  const auto chat_template = tokenize::ChatTemplate::parse(Chat::kTemplate, "template").value();
  const DialogueEncoder encoder{chat.tokenizer.get(), &chat_template, "", "<|im_end|>", RecordFormat::kChat};
  const Example example = encoder.encode(conversation({turn("user", "<|im_end|>"), turn("assistant", "one")})).value();
  EXPECT_EQ(std::count(example.ids.begin(), example.ids.end(), 1), 2);  // the template's own
  EXPECT_EQ(example.labels.size() - static_cast<size_t>(std::count(example.labels.begin(), example.labels.end(), kIgnoredLabel)), 2u);
}

TEST(Dialogue, generation_marks_of_a_template_decide) {
  const Chat chat;
  const auto chat_template = tokenize::ChatTemplate::parse(
                                 "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'user' %}{% generation %}"
                                 "{{ m.content }}<|im_end|>{% endgeneration %}{% else %}{{ m.content }}<|im_end|>{% endif %}{% endfor %}",
                                 "template")
                                 .value();
  const DialogueEncoder encoder{chat.tokenizer.get(), &chat_template, "", "<|im_end|>", RecordFormat::kChat};
  const Example example = encoder.encode(conversation({turn("user", "one"), turn("assistant", "two")})).value();
  const int32_t x = kIgnoredLabel;
  EXPECT_EQ(example.labels, (std::vector<int32_t>{x, x, 6, 1, x, x, x, x, x}));
}

TEST(Dialogue, pairs_learn_the_completion) {
  const Chat chat;
  const DialogueEncoder encoder{chat.tokenizer.get(), nullptr, "", "", RecordFormat::kPairs};
  const Example example = encoder.encode(Json::object().set("prompt", "one two").set("completion", "three")).value();
  const int32_t x = kIgnoredLabel;
  EXPECT_EQ(example.labels, (std::vector<int32_t>{x, x, 8}));
  EXPECT_FALSE(encoder.encode(Json::object().set("prompt", "one")).ok());
}

struct TemporaryFile {
  explicit TemporaryFile(const std::string& text) : path(testing::TempDir() + "data_test.jsonl") { std::ofstream(path) << text; }
  ~TemporaryFile() { std::filesystem::remove(path); }
  std::string path;
};

TEST(ExampleRows, pack_every_example_once_an_epoch_and_resume) {
  const Chat chat;
  const DialogueEncoder encoder{chat.tokenizer.get(), nullptr, "", "", RecordFormat::kPairs};
  std::string lines;
  for (int i = 0; i < 128; ++i) {
    std::string prompt = "one";
    for (int k = 0; k < i % 7; ++k) prompt += " two";
    lines += Json::object().set("prompt", prompt).set("completion", "three").dump() + "\n\n";
  }
  const TemporaryFile file(lines);
  const auto records = Records::open(file.path).value();
  ASSERT_EQ(records->size(), 128);
  const auto make = [&](bool is_packed) { return example_rows({{records, 0, 128, 1}}, encoder, 32, is_packed, 3); };
  for (const bool is_packed : {true, false}) {
    const auto source = make(is_packed), other = make(is_packed);
    expect_resumes(*source, *other);
  }
  const auto source = make(true);
  std::set<uint64_t> samples;
  while (samples.size() < 256) {
    const Row row = source->next().value();
    EXPECT_LE(row.ids.size(), 32u);
    EXPECT_EQ(std::accumulate(row.lengths.begin(), row.lengths.end(), int64_t{0}), static_cast<int64_t>(row.ids.size()));
    for (const uint64_t sample : row.samples) EXPECT_TRUE(samples.insert(sample).second);
  }
  EXPECT_EQ(*samples.rbegin(), 255u);
}

TEST(ExampleRows, refuse_data_without_a_label) {
  const Chat chat;
  const auto chat_template = tokenize::ChatTemplate::parse(Chat::kTemplate, "template").value();
  const DialogueEncoder encoder{chat.tokenizer.get(), &chat_template, "", "", RecordFormat::kChat};
  const TemporaryFile file(conversation({turn("user", "one")}).dump() + "\n");
  const auto records = Records::open(file.path).value();
  const auto row = example_rows({{records, 0, 1, 1}}, encoder, 32, true, 3)->next();
  ASSERT_FALSE(row.ok());
  EXPECT_NE(row.status().message().find("ignored"), std::string::npos);
}

}  // namespace
}  // namespace atelier::data
