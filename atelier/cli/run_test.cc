// Whole command lines, on standard streams that are strings, and on the tiny golden model.
#include "atelier/cli/run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/io/file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::cli {
namespace {

const std::string kModel = ATELIER_SOURCE_DIR "/tests/golden/models/smollm2";

struct Ran {
  int status;
  std::string out, err;
  Json json() const { return Json::parse(out, "stdout").value(); }
};

Ran run_line(const std::vector<std::string>& arguments, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out, err;
  Console console{in, out, err};
  const int status = run(arguments, console);
  return {status, out.str(), err.str()};
}

TEST(Run, every_verb_has_a_help_with_an_example_and_the_common_options) {
  ASSERT_FALSE(commands().empty());
  for (const CommandDef* command : commands()) {
    const Ran ran = run_line({command->name, "--help"});
    EXPECT_EQ(ran.status, kExitOk) << command->name;
    EXPECT_NE(ran.out.find(command->summary), std::string::npos) << command->name;
    EXPECT_NE(ran.out.find(std::string("Example:\n  atelier ") + command->name), std::string::npos) << ran.out;
    for (const char* option : {"--threads", "--seed", "--json", "--verbose", "--help"}) EXPECT_NE(ran.out.find(option), std::string::npos);
    EXPECT_EQ(run_line({"help", command->name}).out, ran.out);
  }
}

TEST(Run, the_overview_names_every_verb) {
  const Ran ran = run_line({"--help"});
  EXPECT_EQ(ran.status, kExitOk);
  for (const CommandDef* command : commands())
    EXPECT_NE(ran.out.find(std::string("\n  ") + command->name + " "), std::string::npos) << command->name;
}

TEST(Run, wrong_command_lines_end_with_status_2_and_one_error_line) {
  const std::vector<std::vector<std::string>> lines = {{"chatt", "m"},
                                                       {"tokenize"},
                                                       {"list", "sampler"},
                                                       {"list", "--jsn"},
                                                       {"list", "-t", "0"},
                                                       {"logits", kModel},
                                                       {"chat", "m", "--kv", "q4"},
                                                       {"help", "quantise"},
                                                       {"logits", kModel, "--ids", "1,x"}};
  for (const auto& line : lines) {
    const Ran ran = run_line(line);
    EXPECT_EQ(ran.status, kExitUsage) << join(line, " ");
    EXPECT_EQ(ran.out, "") << join(line, " ");
    EXPECT_TRUE(ran.err.starts_with("atelier: error: ")) << ran.err;
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
    EXPECT_NE(ran.err.find(';'), std::string::npos) << "no next step in: " << ran.err;
  }
  EXPECT_NE(run_line({"chatt"}).err.find("did you mean chat?"), std::string::npos);
  EXPECT_NE(run_line({"list", "sampler"}).err.find("did you mean samplers?"), std::string::npos);
  EXPECT_EQ(run_line({}).status, kExitUsage);
}

TEST(Run, what_fails_ends_with_status_1_and_one_error_line) {
  const Ran ran = run_line({"inspect", "/nowhere/model.gguf"});
  EXPECT_EQ(ran.status, kExitFailed);
  EXPECT_TRUE(ran.err.starts_with("atelier: error: model: \"/nowhere/model.gguf\"")) << ran.err;
}

TEST(Run, an_instruction_set_that_there_is_not_is_a_wrong_command_line) {
  setenv("ATELIER_ISA", "mmx", 1);
  const Ran ran = run_line({"list", "samplers"});
  unsetenv("ATELIER_ISA");
  EXPECT_EQ(ran.status, kExitUsage);
  EXPECT_NE(ran.err.find("mmx"), std::string::npos) << ran.err;
}

TEST(List, every_table_prints_rows_and_json) {
  for (const std::string table : {"architectures", "isas", "quantizations", "samplers", "verbs"}) {
    EXPECT_FALSE(run_line({"list", table}).out.empty()) << table;
    EXPECT_FALSE(run_line({"list", table, "--json"}).json().find("rows")->as_array().empty()) << table;
  }
}

TEST(Tokenize, gives_ids_pieces_and_offsets_and_the_text_back) {
  const Json json = run_line({"tokenize", kModel, "Hello, world", "--json"}).json();
  const auto& ids = json.find("ids")->as_array();
  EXPECT_EQ(json.find("count")->as_int(), static_cast<int64_t>(ids.size()));
  EXPECT_EQ(json.find("pieces")->as_array().size(), ids.size());
  EXPECT_EQ(json.find("offsets")->as_array().back().as_array()[1].as_int(), 12);
  std::string list;
  for (const Json& id : ids) list += (list.empty() ? "" : ",") + id.dump();
  EXPECT_EQ(run_line({"tokenize", kModel, "--ids", list}).out, "Hello, world\n");
  EXPECT_EQ(run_line({"tokenize", kModel, "--count"}, "Hello, world").out, std::to_string(ids.size()) + "\n") << "from stdin";
}

TEST(Logits, are_two_dimensional_and_the_same_in_json_and_npy) {
  testing::TemporaryFolder folder;
  const std::string path = folder / "logits.npy";
  const Ran ran = run_line({"logits", kModel, "--ids", "1, 17,45", "--json", "--out", path});
  ASSERT_EQ(ran.status, kExitOk) << ran.err;
  const Json json = ran.json();
  const auto& shape = json.find("shape")->as_array();
  EXPECT_EQ(shape[0].as_int(), 3);
  const auto& rows = json.find("logits")->as_array();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(static_cast<int64_t>(rows[0].as_array().size()), shape[1].as_int());
  const std::string npy = io::read_file(path).value();
  const size_t values = 3 * rows[0].as_array().size();
  ASSERT_GT(npy.size(), values * 4);
  float first;
  std::memcpy(&first, npy.data() + npy.size() - values * 4, 4);
  EXPECT_EQ(first, static_cast<float>(rows[0].as_array()[0].as_double())) << "JSON prints floats so that they read back the same";
}

TEST(Logits, refuse_ids_outside_the_vocabulary) {
  const Ran ran = run_line({"logits", kModel, "--ids", "99999999"});
  EXPECT_EQ(ran.status, kExitUsage);
  EXPECT_NE(ran.err.find("99999999, the vocabulary has"), std::string::npos) << ran.err;
}

TEST(Generate, with_a_seed_says_the_same_again_and_json_holds_what_interface_md_names) {
  const std::vector<std::string> line = {"generate",      kModel, "--prompt", "Hello",          "-n", "8", "--seed", "5",
                                         "--temperature", "1",    "--json",   "--top-logprobs", "2"};
  const Ran first = run_line(line);
  ASSERT_EQ(first.status, kExitOk) << first.err;
  const Json json = first.json(), again = run_line(line).json();
  EXPECT_EQ(*json.find("ids"), *again.find("ids"));
  EXPECT_EQ(json.find("seed")->as_int(), 5);
  EXPECT_LE(json.find("ids")->as_array().size(), 8u);
  for (const Json& token : json.find("tokens")->as_array()) EXPECT_EQ(token.find("top")->as_array().size(), 2u);
}

TEST(Generate, ends_with_an_explanation_when_the_context_is_full) {
  const Ran ran = run_line({"generate", kModel, "--prompt", "Hello", "--context", "12", "--ignore-eos", "--json"});
  ASSERT_EQ(ran.status, kExitOk) << ran.err;
  EXPECT_EQ(ran.json().find("finish_reason")->as_string(), "context");
}

TEST(Perplexity, reports_the_keys_of_interface_md) {
  testing::TemporaryFolder folder;
  const std::string path = folder / "text.txt";
  std::string text;
  for (int i = 0; i < 60; ++i) text += "The cat sat on the mat. ";
  std::ofstream(path) << text;
  const Ran ran = run_line({"perplexity", kModel, path, "--context", "32", "--chunks", "3", "--json"});
  ASSERT_EQ(ran.status, kExitOk) << ran.err;
  const Json json = ran.json();
  EXPECT_EQ(json.find("tokens_scored")->as_int(), 3 * 15);
  EXPECT_EQ(json.find("chunks")->as_int(), 3);
  EXPECT_EQ(json.find("context")->as_int(), 32);
  EXPECT_NEAR(json.find("ppl")->as_double(), std::exp(json.find("nll")->as_double()), 1e-9 * json.find("ppl")->as_double());
  EXPECT_DOUBLE_EQ(json.find("bits_per_byte")->as_double(), json.find("bits_per_char")->as_double()) << "ASCII";
}

TEST(Chat, commands_work_and_mistakes_do_not_end_the_conversation) {
  testing::TemporaryFolder folder;
  const std::string saved = folder / "chat.json";
  const Ran ran = run_line({"chat", kModel, "-n", "3", "--seed", "1"},
                           "/system Be brief.\nHello\n/tpo 5\n/save " + saved + "\n/reset\n/load " + saved + "\n/quit\nnot answered\n");
  ASSERT_EQ(ran.status, kExitOk) << ran.err;
  EXPECT_NE(ran.err.find("3 messages"), std::string::npos) << ran.err;
  const Json messages = *Json::parse(io::read_file(saved).value(), saved)->find("messages");
  EXPECT_EQ(messages.as_array()[0].find("content")->as_string(), "Be brief.");
  EXPECT_EQ(messages.as_array()[2].find("role")->as_string(), "assistant");
}

TEST(Chat, top_shows_alternatives_and_the_total_line) {
  const Ran ran = run_line({"chat", kModel, "-n", "2", "--seed", "1"}, "/top 5\nHello\n");
  ASSERT_EQ(ran.status, kExitOk) << ran.err;
  EXPECT_NE(ran.out.find("Total: -"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("probability covered in top 5 logits)"), std::string::npos);
}

TEST(Chat, one_message_answers_in_json) {
  const Ran ran = run_line({"chat", kModel, "--message", "Hello", "-n", "4", "--json", "--seed", "2"});
  ASSERT_EQ(ran.status, kExitOk) << ran.err;
  const Json json = ran.json();
  EXPECT_EQ(json.find("message")->find("role")->as_string(), "assistant");
  EXPECT_GT(json.find("prompt_tokens")->as_int(), 0);
}

// The tiny model with the chat template of another.
void give_template(const testing::TemporaryFolder& folder, const std::string& name) {
  namespace fs = std::filesystem;
  for (const auto& file : fs::directory_iterator(kModel)) {
    if (file.path().filename() != "chat_template.jinja") fs::create_symlink(file.path(), folder / file.path().filename().string());
  }
  fs::create_symlink(ATELIER_SOURCE_DIR "/tests/golden/templates/" + name + ".jinja", folder / "chat_template.jinja");
}

TEST(Chat, think_off_tells_the_template_of_a_model_that_thinks) {
  testing::TemporaryFolder folder;
  give_template(folder, "qwen3");
  const auto prompt_tokens = [&](const std::string& think) {
    const Ran ran = run_line({"chat", folder.path(), "--message", "Hello", "--think", think, "-n", "1", "--json"});
    EXPECT_EQ(ran.status, kExitOk) << ran.err;
    return ran.json().find("prompt_tokens")->as_int();
  };
  EXPECT_EQ(prompt_tokens("auto"), prompt_tokens("on"));
  EXPECT_GT(prompt_tokens("off"), prompt_tokens("on")) << "Qwen3's template closes the thought before the answer";
}

TEST(Chat, a_thought_that_the_template_opens_is_dimmed_and_kept_apart_from_the_answer) {
  testing::TemporaryFolder folder;
  give_template(folder, "qwq");
  const std::vector<std::string> line = {"chat", folder.path(), "--message", "Hello", "-n", "6", "--seed", "1", "--think", "on"};
  std::vector<std::string> json_line = line;
  json_line.push_back("--json");
  const Json message = *run_line(json_line).json().find("message");
  ASSERT_EQ(message.find("content")->as_string(), "") << "six tokens of a random model do not end a thought";
  const std::string thoughts = message.find("reasoning_content")->as_string();
  EXPECT_FALSE(thoughts.empty());

  EXPECT_EQ(run_line(line).out, "\n") << "a pipe gets the answer alone";
  std::istringstream in;
  std::ostringstream out, err;
  Console terminal{.in = in, .out = out, .err = err, .is_out_terminal = true};
  EXPECT_EQ(run(line, terminal), kExitOk);
  EXPECT_EQ(out.str(), "\x1b[2m" + thoughts + "\x1b[0m\n");
}

TEST(Inspect, counts_the_parameters) {
  const Json json = run_line({"inspect", kModel, "--json"}).json();
  EXPECT_EQ(json.find("architecture")->as_string(), "llama");
  EXPECT_GT(json.find("parameters")->as_int(), 0);
  EXPECT_GT(json.find("kv_bytes")->as_int(), 0);
}

}  // namespace
}  // namespace atelier::cli
