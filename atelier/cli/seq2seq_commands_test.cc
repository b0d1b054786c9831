// translate, generate, logits and inspect as whole command lines, on the tiny T5 and Marian of tests/golden/seq2seq with their
// vocabularies.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/cli/run.h"
#include "atelier/io/file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::cli {
namespace {

const std::string kFolder = ATELIER_SOURCE_DIR "/tests/golden/seq2seq/t5", kMarian = ATELIER_SOURCE_DIR "/tests/golden/seq2seq/marian";

struct Ran {
  int status;
  std::string out, err;
};

Ran run_line(const std::vector<std::string>& arguments, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out, err;
  Console console{in, out, err};
  const int status = run(arguments, console);
  return {status, out.str(), err.str()};
}

struct Golden {
  std::vector<std::string> sources, texts;
};

Golden golden(const std::string& folder = kFolder) {
  Golden out;
  const Json json = Json::parse(io::read_file(folder + "/translations.json").value(), "translations.json").value();
  for (const Json& entry : json.as_array()) {
    out.sources.push_back(entry.get_string("source").value());
    out.texts.push_back(entry.get_string("text").value());
  }
  return out;
}

TEST(Translate, writes_a_line_for_each_line_as_transformers_does) {
  const Golden wanted = golden();
  std::string lines, texts;
  for (size_t i = 0; i < wanted.sources.size(); ++i) {
    lines += wanted.sources[i] + "\n\n";
    texts += wanted.texts[i] + "\n\n";  // an empty line stays one
  }
  const Ran read = run_line({"translate", kFolder, "--dtype", "f32", "--parallel", "2"}, lines);
  ASSERT_EQ(read.status, kExitOk) << read.err;
  EXPECT_EQ(read.out, texts);
  const testing::TemporaryFolder folder;
  std::ofstream(folder.path() + "/lines.txt") << lines;
  EXPECT_EQ(run_line({"translate", kFolder, "--dtype", "f32", "--input", folder.path() + "/lines.txt"}).out, texts);
}

TEST(Translate, gives_beams_and_counts_as_json_and_puts_t5s_words_before_the_text) {
  const Golden wanted = golden();
  const std::string text = "the house is small.";
  const Ran ran =
      run_line({"translate", kFolder, text, "--dtype", "f32", "--source", "a", "--target", "b", "--max-tokens", "61", "--json"});
  ASSERT_EQ(ran.status, kExitOk) << ran.err;
  const Json json = Json::parse(ran.out, "stdout").value();
  EXPECT_EQ(json.get_string("source").value(), text);
  EXPECT_EQ(json.get_string("text").value(), wanted.texts[0]);
  EXPECT_EQ(json.find("beams")->as_array().size(), 4u);
  EXPECT_EQ(json.get_int("source_tokens").value(), 11);
  EXPECT_EQ(run_line({"translate", kFolder, text, "--dtype", "f32", "--prefix", "translate a to b: ", "--max-tokens", "61"}).out,
            wanted.texts[0] + "\n");
}

// ">>fra<< " before a text names the language in transformers, --target here.
TEST(Translate, names_marians_languages_by_their_tokens) {
  const Golden wanted = golden(kMarian);
  const auto translated = [](const std::string& text, const std::string& target) {
    std::vector<std::string> line = {"translate", kMarian, text, "--dtype", "f32"};
    if (!target.empty()) line.insert(line.end(), {"--target", target});
    const Ran ran = run_line(line);
    EXPECT_EQ(ran.status, kExitOk) << ran.err;
    return ran.out;
  };
  EXPECT_EQ(translated(wanted.sources[0], ""), wanted.texts[0] + "\n");
  EXPECT_EQ(translated(wanted.sources[1].substr(8), "fra"), wanted.texts[1] + "\n");
  EXPECT_EQ(translated(wanted.sources[2].substr(8), "deu"), wanted.texts[2] + "\n");
  EXPECT_NE(run_line({"translate", kMarian, "the cat", "--target", "spa"}).err.find("has no token >>spa<<"), std::string::npos);
}

TEST(Translate, samples_on_request_and_the_same_for_the_same_seed) {
  const std::vector<std::string> line = {"translate", kFolder, "the cat", "--temperature", "1", "--seed", "3", "-n", "9"};
  const Ran first = run_line(line);
  ASSERT_EQ(first.status, kExitOk) << first.err;
  EXPECT_EQ(run_line(line).out, first.out);
}

TEST(Translate, obeys_rules) {
  const Ran ran = run_line({"translate", kFolder, "the cat", "--no-repeat-ngram", "1", "-n", "12", "--forced-first", "9", "--json"});
  ASSERT_EQ(ran.status, kExitOk) << ran.err;
  std::vector<int64_t> ids;
  const Json json = Json::parse(ran.out, "stdout").value();
  for (const Json& id : json.find("ids")->as_array()) ids.push_back(id.as_int());
  ASSERT_FALSE(ids.empty());
  EXPECT_EQ(ids[0], 9);
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
}

TEST(Translate, says_what_is_wrong_in_one_line) {
  EXPECT_EQ(run_line({"translate", ATELIER_SOURCE_DIR "/tests/golden/models/smollm2", "the cat"}).err,
            "atelier: error: translate: llama has no encoder; use generate or chat\n");
  EXPECT_EQ(run_line({"translate", kFolder, "the cat", "--target", "b"}).status, kExitUsage);
  EXPECT_EQ(run_line({"translate", kFolder, "the cat", "--target", "b", "--prefix", "c"}).status, kExitUsage);
  EXPECT_EQ(run_line({"translate", kFolder, "the cat", "--input", "x"}).status, kExitUsage);
  EXPECT_EQ(run_line({"generate", kFolder, "--prompt", "the", "--ignore-eos", "--draft", kFolder, "-n", "2"}).status, kExitFailed);
}

TEST(GenerateSeq2Seq, answers_the_prompt_without_repeating_it) {
  const Golden wanted = golden();
  const Ran ran = run_line({"generate", kFolder, "--prompt", wanted.sources[1], "--beam", "4", "-n", "54", "--dtype", "f32"});
  ASSERT_EQ(ran.status, kExitOk) << ran.err;
  EXPECT_EQ(ran.out, wanted.texts[1] + "\n");
  const Ran greedy = run_line({"generate", kFolder, "--prompt", wanted.sources[1], "-n", "5"}),
            again = run_line({"generate", kFolder, "--prompt", wanted.sources[1], "-n", "5", "--temperature", "0"});
  EXPECT_EQ(greedy.out, again.out) << "who has an encoder is not sampled unless somebody says so";
}

TEST(LogitsSeq2Seq, are_the_decoders) {
  const Ran ran = run_line({"logits", kFolder, "--ids", "5,6,7", "--decoder-ids", "0,5", "--json"});
  ASSERT_EQ(ran.status, kExitOk) << ran.err;
  const Json json = Json::parse(ran.out, "stdout").value();
  const auto& shape = json.find("shape")->as_array();
  EXPECT_EQ(shape[0].as_int(), 2);
  EXPECT_EQ(shape[1].as_int(), 70);
  EXPECT_EQ(run_line({"logits", kFolder, "--ids", "5,6,7"}).status, kExitUsage);
  EXPECT_EQ(run_line({"logits", ATELIER_SOURCE_DIR "/tests/golden/models/llama2", "--ids", "5", "--decoder-ids", "0"}).status, kExitUsage);
}

TEST(InspectSeq2Seq, counts_the_parameters_of_t5_and_shows_both_stacks) {
  const testing::TemporaryFolder folder;
  const auto count = [&](const std::string& config) {
    std::ofstream(folder.path() + "/sizes.json") << config;
    const Ran ran = run_line({"inspect", folder.path() + "/sizes.json", "--json"});
    EXPECT_EQ(ran.status, kExitOk) << ran.err;
    return Json::parse(ran.out, "stdout")->get_int("parameters").value();
  };
  const std::string named = R"({"architectures": ["T5ForConditionalGeneration"], )";
  EXPECT_EQ(count(named + R"("d_model": 768, "d_ff": 3072, "num_layers": 12, "num_heads": 12})"), 222903552);                  // "220M"
  EXPECT_EQ(count(named + R"("d_model": 1024, "d_ff": 4096, "num_layers": 24, "num_heads": 16})"), 737668096);                 // "770M"
  EXPECT_EQ(count(named + R"("d_model": 1024, "d_kv": 128, "d_ff": 16384, "num_layers": 24, "num_heads": 32})"), 2851598336);  // "3B"
  EXPECT_NE(run_line({"inspect", kFolder}).out.find("encoder       3 layers"), std::string::npos);
}

}  // namespace
}  // namespace atelier::cli
