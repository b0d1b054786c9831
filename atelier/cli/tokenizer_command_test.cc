// `atelier tokenizer train`, on small files.
#include <gtest/gtest.h>

#include <sstream>

#include "atelier/base/json.h"
#include "atelier/cli/run.h"
#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::cli {
namespace {

const std::string kText = ATELIER_SOURCE_DIR "/tests/golden/trainers/text.txt";

struct Ran {
  int status;
  std::string out, err;
};

Ran run_line(const std::vector<std::string>& arguments) {
  std::istringstream in;
  std::ostringstream out, err;
  Console console{in, out, err};
  const int status = run(arguments, console);
  return {status, out.str(), err.str()};
}

TEST(TokenizerTrain, a_folder_gets_both_files_and_works_as_a_model) {
  const testing::TemporaryFolder folder;
  const std::string out = folder / "mine";
  const Ran trained = run_line({"tokenizer", "train", kText, "--vocab-size", "400", "--out", out, "--json"});
  ASSERT_EQ(trained.status, kExitOk) << trained.err;
  const Json report = Json::parse(trained.out, "stdout").value();
  EXPECT_EQ(report.get_int("vocab_size").value(), 400);
  EXPECT_EQ(report.get_int("merges").value(), 400 - 257);
  const Json config = Json::parse(io::read_file(io::join_path(out, "tokenizer_config.json")).value(), "config").value();
  EXPECT_EQ(config.get_string("eos_token").value(), "<|endoftext|>");
  const Ran tokenized = run_line({"tokenize", out, "the lighthouse keeper", "--count"});
  EXPECT_EQ(tokenized.status, kExitOk) << tokenized.err;
}

TEST(TokenizerTrain, a_json_file_gets_the_tokenizer_alone) {
  const testing::TemporaryFolder folder;
  const Ran trained =
      run_line({"tokenizer", "train", kText, "--kind", "wordpiece", "--lowercase", "--vocab-size", "300", "-o", folder / "w.json"});
  ASSERT_EQ(trained.status, kExitOk) << trained.err;
  EXPECT_EQ(trained.out, (folder / "w.json") + ": wordpiece, 300 tokens\n");
  EXPECT_EQ(io::list_directory(folder.path()).value(), std::vector<std::string>{"w.json"});
}

TEST(TokenizerTrain, cuts_words_as_a_named_pre_tokenizer_does) {
  const testing::TemporaryFolder folder;
  ASSERT_EQ(run_line({"tokenizer", "train", kText, "--vocab-size", "400", "--pre-tokenizer", "qwen2", "-o", folder / "q.json"}).status,
            kExitOk);
  EXPECT_NE(io::read_file(folder / "q.json").value().find("(?i:'s|'t|'re|'ve|'m|'ll|'d)"), std::string::npos);
}

TEST(TokenizerTrain, wrong_command_lines_end_with_one_line_that_helps) {
  const testing::TemporaryFolder folder;
  const auto error_of = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "tokenizer");
    const Ran ran = run_line(arguments);
    EXPECT_EQ(ran.status, kExitUsage) << ran.err;
    return ran.err;
  };
  const std::string out = folder / "mine";
  EXPECT_NE(error_of({"trian", kText, "-o", out}).find("did you mean train?"), std::string::npos);
  EXPECT_NE(error_of({"train", "-o", out}).find("FILE: none given"), std::string::npos);
  EXPECT_NE(error_of({"train", kText}).find("--out: not given"), std::string::npos);
  EXPECT_NE(error_of({"train", kText, "-o", out, "--kind", "byte-level-bp"}).find("did you mean byte-level-bpe?"), std::string::npos);
  EXPECT_NE(error_of({"train", kText, "-o", out, "--vocab-size", "100"}).find("vocabulary size: 100"), std::string::npos);
  EXPECT_NE(error_of({"train", kText, "-o", out, "--memory", "much"}).find("--memory: \"much\" is no size"), std::string::npos);
  EXPECT_NE(error_of({"train", kText, "-o", out, "--pre-tokenizer", "gpt2"}).find("did you mean gpt-2?"), std::string::npos);
}

}  // namespace
}  // namespace atelier::cli
