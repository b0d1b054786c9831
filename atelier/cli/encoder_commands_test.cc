// embed, fill, classify, tag and answer as whole command lines, on tiny encoders.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/cli/run.h"
#include "atelier/io/file.h"
#include "tests/support/encoder_folder.h"

namespace atelier::cli {
namespace {

using atelier::testing::EncoderFolder;

struct Ran {
  int status;
  std::string out, err;
  Json json() const { return Json::parse(out, "stdout").value(); }
};

Ran run_line(const std::vector<std::string>& arguments) {
  std::istringstream in;
  std::ostringstream out, err;
  Console console{in, out, err};
  const int status = run(arguments, console);
  return {status, out.str(), err.str()};
}

std::vector<Json> json_lines(const std::string& text) {
  std::vector<Json> out;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty()) out.push_back(Json::parse(line, "line").value());
  }
  return out;
}

TEST(Embed, writes_the_same_vectors_as_json_lines_and_npy_in_the_order_of_the_texts) {
  const EncoderFolder folder("bert");
  folder.write("texts.jsonl", "{\"id\": \"a\", \"text\": \"the cat\"}\n{\"id\": \"b\", \"text\": \"the cats sat on the mat.\"}\n");
  const std::string input = folder.path() + "/texts.jsonl", npy = folder.path() + "/vectors.npy";
  const Ran ran = run_line({"embed", folder.path(), "--input", input, "--dtype", "f32"});
  ASSERT_EQ(ran.status, kExitOk) << ran.err;
  const std::vector<Json> lines = json_lines(ran.out);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1].get_string("id").value(), "b");
  EXPECT_EQ(lines[1].get_int("index").value(), 1);
  const auto& vector = lines[1].find("embedding")->as_array();
  ASSERT_EQ(vector.size(), 20u);
  ASSERT_EQ(run_line({"embed", folder.path(), "--input", input, "--dtype", "f32", "--out", npy}).status, kExitOk);
  const std::string bytes = io::read_file(npy).value();
  float last[20];
  std::memcpy(last, bytes.data() + bytes.size() - sizeof last, sizeof last);
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(last[i], static_cast<float>(vector[i].as_double()));
}

TEST(Embed, normalises_on_request_and_says_what_is_wrong) {
  const EncoderFolder folder("bert");
  const std::vector<Json> lines = json_lines(run_line({"embed", folder.path(), "cat", "--normalize", "yes"}).out);
  double squares = 0;
  for (const Json& x : lines.at(0).find("embedding")->as_array()) squares += x.as_double() * x.as_double();
  EXPECT_NEAR(squares, 1, 1e-6);
  EXPECT_EQ(run_line({"embed", folder.path()}).err, "atelier: error: text: none of TEXT and --input, exactly one is needed\n");
  const Ran unknown = run_line({"embed", folder.path(), "cat", "--prompt-name", "query"});
  EXPECT_EQ(unknown.status, kExitUsage);
  EXPECT_NE(unknown.err.find("must be one of this model's: none"), std::string::npos) << unknown.err;
}

TEST(Fill, gives_percentages_and_cross_entropies_that_belong_together) {
  const EncoderFolder folder("bert-masked");
  const Ran ran = run_line({"fill", folder.path(), "the [MASK] sat on the <mask> .", "--top", "40", "--json"});
  ASSERT_EQ(ran.status, kExitOk) << ran.err;
  const Json json = ran.json();
  const auto& masks = json.find("masks")->as_array();
  ASSERT_EQ(masks.size(), 2u);
  EXPECT_EQ(masks[0].get_int("position").value(), 2);
  EXPECT_EQ(masks[1].get_int("position").value(), 6);
  double total = 0, before = 2;
  for (const Json& token : masks[0].find("tokens")->as_array()) {
    const double p = token.get_double("probability").value();
    EXPECT_NEAR(-std::log(p), token.get_double("cross_entropy").value(), 1e-9);
    EXPECT_LE(p, before);
    before = p;
    total += p;
  }
  EXPECT_NEAR(total, 1, 1e-6);
  EXPECT_NE(run_line({"fill", folder.path(), "the <mask>"}).out.find(" %"), std::string::npos);
}

TEST(Fill, refuses_texts_without_a_mask_and_models_without_the_head) {
  const EncoderFolder masked("bert-masked"), bare("bert");
  EXPECT_EQ(run_line({"fill", masked.path(), "the cat"}).status, kExitUsage);
  const Ran ran = run_line({"fill", bare.path(), "the <mask>"});
  EXPECT_EQ(ran.status, kExitFailed);
  EXPECT_NE(ran.err.find("has no head for masked tokens"), std::string::npos) << ran.err;
}

TEST(Classify, prints_every_label_and_takes_pairs) {
  const EncoderFolder sequence("bert-sequence"), next("bert-next");
  const Json json = run_line({"classify", sequence.path(), "the cat sat", "--json"}).json();
  double total = 0, best = 0;
  for (const auto& [label, value] : json.find("values")->as_object()) {
    total += value.as_double();
    best = std::max(best, value.as_double());
  }
  EXPECT_NEAR(total, 1, 1e-9);
  EXPECT_EQ(json.find("values")->get_double(json.get_string("label").value()).value(), best);
  const Ran pair = run_line({"classify", next.path(), "--pair", "the cat", "sat on the mat"});
  ASSERT_EQ(pair.status, kExitOk) << pair.err;
  EXPECT_TRUE(pair.out.starts_with("the cat | sat on the mat\n")) << pair.out;
  EXPECT_NE(pair.out.find("next"), std::string::npos);
  EXPECT_EQ(run_line({"classify", next.path(), "--pair", "the cat"}).status, kExitUsage);
  const Ran wrong = run_line({"classify", EncoderFolder("bert-token").path(), "the cat"});
  EXPECT_NE(wrong.err.find("this model has a head of kind token, wanted is one of kind sequence or next_sentence"), std::string::npos)
      << wrong.err;
}

TEST(TagAndAnswer, give_parts_of_the_text) {
  const EncoderFolder token("bert-token"), span("bert-span");
  const std::string text = "the cats sat on the mat.";
  const Json tagged = run_line({"tag", token.path(), text, "--json"}).json();
  for (const Json& entity : tagged.find("entities")->as_array()) {
    const auto begin = static_cast<size_t>(entity.get_int("begin").value()), end = static_cast<size_t>(entity.get_int("end").value());
    EXPECT_EQ(text.substr(begin, end - begin), entity.get_string("text").value());
  }
  EXPECT_FALSE(tagged.find("entities")->as_array().empty());
  const Json answered = run_line({"answer", span.path(), "the cat", "--text", text, "--top", "3", "--json"}).json();
  ASSERT_EQ(answered.find("answers")->as_array().size(), 3u);
  for (const Json& answer : answered.find("answers")->as_array()) {
    EXPECT_NE(text.find(answer.get_string("text").value()), std::string::npos);
  }
}

TEST(EncoderLogits, are_those_of_the_head) {
  const auto shape = [](const std::string& golden) {
    const Json json = run_line({"logits", EncoderFolder(golden).path(), "--ids", "2,5,6,3", "--json"}).json();
    const auto& sizes = json.find("shape")->as_array();
    return std::pair(sizes[0].as_int(), sizes[1].as_int());
  };
  EXPECT_EQ(shape("bert-masked"), std::pair(int64_t{4}, int64_t{40}));
  EXPECT_EQ(shape("bert-sequence"), std::pair(int64_t{1}, int64_t{3}));
  EXPECT_EQ(shape("bert-token"), std::pair(int64_t{4}, int64_t{5}));
  EXPECT_EQ(run_line({"logits", EncoderFolder("bert").path(), "--ids", "2"}).status, kExitFailed);
}

TEST(Encoders, are_refused_by_verbs_that_write_text) {
  const EncoderFolder folder("bert-masked");
  const Ran ran = run_line({"generate", folder.path(), "--prompt", "the"});
  EXPECT_EQ(ran.status, kExitFailed);
  EXPECT_NE(ran.err.find("bert is an encoder, which writes no text"), std::string::npos) << ran.err;
}

TEST(InspectConfig, counts_the_parameters_of_bert) {
  const EncoderFolder folder("bert");
  const auto count = [&](const std::string& config) {
    folder.write("sizes.json", config);
    return run_line({"inspect", folder.path() + "/sizes.json", "--json"}).json().get_int("parameters").value();
  };
  EXPECT_EQ(count(R"({"architectures": ["BertForPreTraining"]})"), 110106428);  // "110M"
  EXPECT_EQ(count(R"({"architectures": ["BertModel"], "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16,
                      "intermediate_size": 4096})"),
            335141888);  // "340M"
}

}  // namespace
}  // namespace atelier::cli
