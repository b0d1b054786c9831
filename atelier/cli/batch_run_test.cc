// Batches through the command line, on the tiny golden model.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "atelier/base/json.h"
#include "atelier/cli/run.h"
#include "atelier/io/file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::cli {
namespace {

const std::string kModel = ATELIER_SOURCE_DIR "/tests/golden/models/smollm2";

class BatchRun : public ::testing::Test {
 protected:
  int run_line(const std::vector<std::string>& arguments, const std::string& input = "") {
    std::istringstream in(input);
    std::ostringstream out;
    err.str("");
    Console console{in, out, err};
    return cli::run(arguments, console);
  }
  int run_batch(const std::string& verb, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {verb, kModel, "--input", input_path, "--output", output_path, "--context", "200", "-n", "12"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_line(arguments);
  }
  void write_input(const std::vector<std::string>& lines) const {
    std::ofstream file(input_path, std::ios::binary);
    for (const std::string& line : lines) file << line << "\n";
  }
  // The output's records by id.
  std::map<std::string, Json> records() const {
    std::map<std::string, Json> by_id;
    std::istringstream text(io::read_file(output_path).value());
    for (std::string line; std::getline(text, line);) {
      const Json record = Json::parse(line, output_path).value();
      EXPECT_TRUE(by_id.emplace(record.find("id")->dump(), record).second) << "a second record: " << line;
    }
    return by_id;
  }

  atelier::testing::TemporaryFolder folder;
  const std::string input_path = folder / "in.jsonl", output_path = folder / "out.jsonl";
  std::ostringstream err;
};

TEST_F(BatchRun, a_line_says_what_a_single_run_says) {
  std::vector<std::string> lines;
  for (int i = 0; i < 9; ++i) {
    Json line = Json::object().set("id", i).set("prompt", "Once upon a time " + std::to_string(i % 4));
    line.set("temperature", i % 2).set("seed", 3 + i).set("top_logprobs", 2);
    lines.push_back(line.dump());
  }
  write_input(lines);
  ASSERT_EQ(run_batch("generate", {"--parallel", "4", "--speculate", "lookup"}), kExitOk) << err.str();
  const auto batch = records();
  ASSERT_EQ(batch.size(), 9u);
  for (int i = 0; i < 9; ++i) {
    std::ostringstream out;
    std::istringstream in;
    Console console{in, out, err};
    const std::vector<std::string> single = {"generate",
                                             kModel,
                                             "--context",
                                             "200",
                                             "-n",
                                             "12",
                                             "--json",
                                             "--prompt",
                                             "Once upon a time " + std::to_string(i % 4),
                                             "--temperature",
                                             std::to_string(i % 2),
                                             "--seed",
                                             std::to_string(3 + i),
                                             "--top-logprobs",
                                             "2"};
    ASSERT_EQ(cli::run(single, console), kExitOk) << err.str();
    const Json expected = Json::parse(out.str(), "stdout").value(), record = batch.at(std::to_string(i));
    for (const char* key : {"text", "tokens", "finish_reason", "prompt_tokens", "generated_tokens", "seed"}) {
      EXPECT_EQ(*record.find(key), *expected.find(key)) << key << " of " << i;
    }
  }
}

TEST_F(BatchRun, lines_choose_adapters_by_name) {
  const std::string adapter = ATELIER_SOURCE_DIR "/tests/golden/adapters/smollm2/";
  write_input(
      {R"({"id": "default", "prompt": "Hello", "seed": 1})", R"({"id": "named", "prompt": "Hello", "seed": 1, "adapter": "smollm2"})",
       R"({"id": "weighted", "prompt": "Hello", "seed": 1, "adapter": {"smollm2": 0}})",
       R"({"id": "none", "prompt": "Hello", "seed": 1, "adapter": null})", R"({"id": "wrong", "prompt": "x", "adapter": "french"})"});
  ASSERT_EQ(run_batch("generate", {"--adapter", adapter + "=1"}), kExitOk) << err.str();
  const auto batch = records();
  const auto text = [&](const std::string& id) { return batch.at("\"" + id + "\"").find("text")->as_string(); };
  EXPECT_EQ(text("default"), text("named"));
  EXPECT_EQ(text("weighted"), text("none"));
  EXPECT_NE(text("named"), text("none"));
  EXPECT_NE(batch.at("\"wrong\"").find("error")->as_string().find("known are smollm2"), std::string::npos);
}

TEST_F(BatchRun, a_wrong_line_is_a_record_and_stops_nothing) {
  write_input({R"({"id": "good", "prompt": "Hello"})", "no JSON", R"({"id": "typo", "prompt": "x", "temprature": 1})", "",
               R"({"id": "empty"})", R"({"id": "good", "prompt": "again"})", R"({"prompt": "no id"})",
               R"({"id": "hot", "prompt": "x", "temperature": -1})", R"({"id": 1.5, "prompt": "x"})",
               R"({"id": "chat", "messages": [{"role": "user", "content": "x"}]})"});
  ASSERT_EQ(run_batch("generate"), kExitOk) << err.str();
  std::map<std::string, int> errors;
  std::istringstream text(io::read_file(output_path).value());
  size_t num_records = 0;
  for (std::string line; std::getline(text, line); ++num_records) {
    const Json record = Json::parse(line, output_path).value();
    if (record.contains("error")) ++errors[record.find("id")->dump()];
  }
  EXPECT_EQ(num_records, 9u);
  const std::map<std::string, int> expected = {{"2", 1},       {"\"typo\"", 1}, {"\"empty\"", 1}, {"\"good\"", 1},
                                               {"\"hot\"", 1}, {"9", 1},        {"\"chat\"", 1}};
  EXPECT_EQ(errors, expected) << "line 7 has no id and gets its number";
  EXPECT_NE(io::read_file(output_path).value().find("did you mean temperature?"), std::string::npos);
}

TEST_F(BatchRun, goes_on_after_a_kill_without_doing_anything_twice) {
  std::vector<std::string> lines;
  for (int i = 0; i < 6; ++i)
    lines.push_back(Json::object().set("id", i).set("prompt", "Hello " + std::to_string(i)).set("seed", 1).dump());
  write_input(lines);
  ASSERT_EQ(run_batch("generate"), kExitOk) << err.str();
  const auto whole = records();
  const std::string bytes = io::read_file(output_path).value();
  for (const size_t cut : {bytes.find('\n') + 1, bytes.find('\n') + 9, bytes.size() - 1, size_t{5}}) {
    std::ofstream(output_path, std::ios::binary) << bytes.substr(0, cut);
    ASSERT_EQ(run_batch("generate"), kExitOk) << err.str();
    EXPECT_EQ(records(), whole) << "cut at " << cut;
  }
  std::ofstream(output_path, std::ios::binary) << "not a record\n";
  EXPECT_EQ(run_batch("generate"), kExitFailed);
  EXPECT_NE(err.str().find("line 1 is no record of a batch"), std::string::npos) << err.str();
}

TEST_F(BatchRun, chats_take_messages_or_one_prompt) {
  write_input({R"({"id": "m", "messages": [{"role": "user", "content": "Hello"}], "seed": 5})",
               R"({"id": "p", "prompt": "Hello", "seed": 5})", R"({"id": "bad", "messages": [3]})"});
  ASSERT_EQ(run_batch("chat"), kExitOk) << err.str();
  const auto batch = records();
  EXPECT_EQ(batch.at("\"m\"").find("message")->find("role")->as_string(), "assistant");
  EXPECT_EQ(*batch.at("\"m\"").find("message"), *batch.at("\"p\"").find("message"));
  EXPECT_TRUE(batch.at("\"bad\"").contains("error"));
}

TEST_F(BatchRun, mixtures_of_one_and_many_are_refused) {
  write_input({});
  EXPECT_EQ(run_batch("generate", {"--prompt", "x"}), kExitUsage);
  EXPECT_EQ(run_batch("chat", {"--message", "x"}), kExitUsage);
  EXPECT_EQ(run_line({"generate", kModel, "--input", input_path}), kExitUsage);
  EXPECT_EQ(run_line({"generate", kModel, "--prompt", "x", "--kv-memory", "much"}), kExitUsage);
  EXPECT_EQ(run_line({"generate", kModel, "--prompt", "x", "--kv-memory", "1"}), kExitFailed);
  EXPECT_EQ(run_line({"generate", kModel, "--input", folder / "absent", "--output", output_path}), kExitFailed);
}

TEST_F(BatchRun, speculation_changes_no_text) {
  std::vector<std::string> outputs;
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{}, {"--speculate", "lookup"}, {"--draft", kModel, "--draft-tokens", "3"}}) {
    std::vector<std::string> arguments = {"generate", kModel, "--prompt", "Hello Hello Hello", "-n", "30", "--seed", "4"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::istringstream in;
    std::ostringstream out;
    Console console{in, out, err};
    ASSERT_EQ(cli::run(arguments, console), kExitOk) << err.str();
    outputs.push_back(out.str());
  }
  EXPECT_EQ(outputs[0], outputs[1]);
  EXPECT_EQ(outputs[0], outputs[2]);
}

}  // namespace
}  // namespace atelier::cli
