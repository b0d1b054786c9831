// Calls of functions: formats by template, what a stream of text becomes, grammars, and constraints that begin later.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "atelier/base/strings.h"
#include "atelier/generate/channel_splitter.h"
#include "atelier/generate/grammar/automaton.h"
#include "atelier/generate/staged_mask.h"
#include "atelier/generate/tool_call_splitter.h"
#include "atelier/generate/tool_format.h"
#include "atelier/io/file.h"

namespace atelier::generate {
namespace {

// "text|name(arguments)|…": what the pieces say together.
std::string told(const std::vector<ToolCallSplitter::Piece>& pieces) {
  std::string out;
  std::optional<size_t> open;
  for (const auto& piece : pieces) {
    if (open && piece.call != open) {
      out += ")";
      open.reset();
    }
    if (!piece.call) {
      out += piece.text;
    } else if (!piece.name.empty()) {
      out += "|" + piece.name + "(";
      open = piece.call;
    }
    out += piece.arguments;
  }
  return out + (open ? ")" : "");
}

Tool tool(const std::string& name, const std::string& schema) {
  return {name, Json::object().set("type", "function").set("function", Json::object().set("name", name)),
          schema.empty() ? Json() : Json::parse(schema, "schema").value()};
}

std::string split_text(const ToolFormat& format, const std::string& text, size_t piece_size,
                       const std::vector<Tool>& tools = {tool("get_weather", ""), tool("f", "")}) {
  ToolCallSplitter splitter(format, tools);
  std::vector<ToolCallSplitter::Piece> all;
  for (size_t begin = 0; begin < text.size(); begin += piece_size) {
    auto some = splitter.push(std::string_view(text).substr(begin, piece_size));
    all.insert(all.end(), some.begin(), some.end());
  }
  auto rest = splitter.finish();
  all.insert(all.end(), rest.begin(), rest.end());
  return told(all);
}

TEST(ToolFormat, is_found_by_the_template) {
  const std::map<std::string, std::string> want = {{"hermes-3", "hermes"},
                                                   {"qwen2.5", "hermes"},
                                                   {"qwen3", "hermes"},
                                                   {"qwq", "hermes"},
                                                   {"llama-3.1", "llama3"},
                                                   {"llama-3.2", "llama3"},
                                                   {"mistral-v3", "mistral"},
                                                   {"mistral-nemo", "mistral"},
                                                   {"devstral", "mistral_named"},
                                                   {"mistral-small-3.2", "mistral_named"},
                                                   {"deepseek-v3.1", "deepseek"},
                                                   {"deepseek-r1-distill-qwen", "deepseek_r1"},
                                                   {"granite-3.3", "granite"},
                                                   {"command-r7b", "command_r"},
                                                   {"qwen3-coder", "qwen3_coder"},
                                                   {"glm-4.6", "glm"},
                                                   {"gpt-oss", "harmony"}};
  for (const auto& entry : std::filesystem::directory_iterator(std::string(ATELIER_SOURCE_DIR) + "/tests/golden/templates")) {
    if (entry.path().extension() != ".jinja") continue;
    const std::string source = io::read_file(entry.path(), 1 << 20).value(), name = entry.path().stem();
    size_t num_matches = 0;
    for (const ToolFormat* format : tool_formats()) num_matches += format->matches(source);
    EXPECT_LE(num_matches, 1u) << name;
    const auto found = want.find(name);
    EXPECT_STREQ(tool_format_of(source).name, found != want.end() ? found->second.c_str() : "generic") << name;
  }
}

TEST(ToolCallSplitter, reads_back_what_a_format_writes_whatever_the_pieces) {
  const ToolCall calls[] = {{"get_weather", R"({"city": "Paris } \" ]", "days": [1, {"x": null}]})"}, {"f", "{}"}};
  const std::string want = "|get_weather(" + calls[0].arguments + ")|f({})";
  for (const ToolFormat* format : tool_formats()) {
    if (format->has_channels) continue;  // ChannelSplitter
    const std::string text = write_tool_calls(*format, calls);
    for (const size_t size : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, text.size()}) {
      EXPECT_EQ(split_text(*format, text, size), want) << format->name << " in pieces of " << size << ": " << text;
      if (tool_call_sign(*format).empty()) continue;
      EXPECT_EQ(split_text(*format, "Let me see.\n\n" + text, size), "Let me see." + want) << format->name << " in pieces of " << size;
    }
  }
}

TEST(ToolCallSplitter, takes_the_forms_that_models_also_write) {
  const std::map<std::string, std::string> hermes = {
      {R"({"name": "f", "arguments": {"a": 1}})", R"(|f({"a": 1}))"},
      {"<tool_call>{\"arguments\": {\"a\": 1}, \"name\": \"f\"}</tool_call>", R"(|f({"a": 1}))"},
      {"<tool_call>\n{\"name\": \"f\", \"parameters\": \"{\\\"a\\\": 2}\"}\n</tool_call>", R"(|f({"a": 2}))"},
      {"<tool_call>{\"type\": \"function\", \"function\": {\"name\": \"f\", \"arguments\": {\"a\": 3}}}</tool_call>", R"(|f({"a": 3}))"},
      {"<tool_call>[{\"name\": \"f\"}, {\"name\": \"get_weather\", \"arguments\": {}}]</tool_call>", "|f({})|get_weather({})"},
      {"<tool_call>{\"name\": \"f\", \"arguments\": {}}", "|f({})"}};
  for (const auto& [text, want] : hermes) {
    for (const size_t size : {size_t{1}, text.size()}) EXPECT_EQ(split_text(tool_format_generic, text, size), want) << text;
  }
  const ToolFormat& llama = tool_format_of("<|start_header_id|> parameters");
  EXPECT_EQ(split_text(llama, R"(<|python_tag|>f.call(city="Paris, \"x\"", n=3))", 1), R"(|f({"city": "Paris, \"x\"", "n": 3}))");
  EXPECT_EQ(split_text(llama, R"({"type": "function", "name": "f", "parameters": {"q": "x"}})", 4), R"(|f({"q": "x"}))");
}

TEST(ToolCallSplitter, leaves_text_that_is_no_call) {
  for (const std::string text :
       {"a < b and <tool", "{\"answer\": 42}", "{\"name\": \"Alice\", \"arguments\": {}}", "<tool_call>{\"name\": \"g\"}</tool_call>",
        "<tool_call>nonsense", "{", "  {\"name\"", "x {\"name\": \"f\", \"arguments\": {}}"}) {
    for (const size_t size : {size_t{1}, text.size()}) EXPECT_EQ(split_text(tool_format_generic, text, size), text) << size;
  }
  // An answer in JSON is not held back to its end; white space waits for what follows it.
  ToolCallSplitter splitter(tool_format_generic, {tool("f", "")});
  EXPECT_EQ(told(splitter.push("{\"answer\": ")), "{\"answer\":");
}

TEST(ToolCallRules, accept_what_the_format_writes_and_no_other_arguments) {
  const Tool tools[] = {tool("f", R"({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})"), tool("g", "")};
  const ToolCall good[] = {{"f", R"({"n": 12})"}, {"g", R"({"x": 1})"}}, bad[] = {{"f", R"({"n": "x"})"}}, unknown[] = {{"h", "{}"}};
  for (const ToolFormat* format : tool_formats()) {
    const auto accepts = [&](const std::string& text, bool may_repeat, bool is_open) {
      GrammarAutomaton automaton(Grammar::compile(tool_call_rules(*format, tools, may_repeat, is_open).value()).value());
      const auto state = automaton.step(automaton.start(), text);
      return state >= 0 && automaton.is_final(state);
    };
    const std::string text = write_tool_calls(*format, good);
    EXPECT_TRUE(accepts(text, true, false)) << text;
    EXPECT_FALSE(accepts(text, false, false)) << text;
    EXPECT_TRUE(accepts(write_tool_calls(*format, std::span(good).first(1)), false, false)) << text;
    EXPECT_FALSE(accepts(write_tool_calls(*format, bad), true, false)) << text;
    EXPECT_FALSE(accepts(write_tool_calls(*format, unknown), true, false)) << text;
    const std::string_view sign = tool_call_sign(*format);
    if (sign.empty()) continue;
    EXPECT_TRUE(accepts(text.substr(text.find(sign) + sign.size()), true, true)) << text;
  }
  EXPECT_FALSE(tool_call_rules(tool_format_generic, std::vector{tool("f", R"({"not": {}})")}, true, false).ok());
}

const ToolFormat& format_named(const std::string& name) {
  for (const ToolFormat* format : tool_formats()) {
    if (format->name == name) return *format;
  }
  ADD_FAILURE() << name;
  return tool_format_generic;
}

// As https://huggingface.co/Qwen/Qwen3-Coder-30B-A3B-Instruct's template shows it.
TEST(TaggedCalls, of_qwen3_coder) {
  const ToolFormat& format = format_named("qwen3_coder");
  const std::vector<Tool> tools = {
      tool("write_file", R"({"type": "object", "properties": {"path": {"type": "string"}, "content": {"type": "string"},
      "mode": {"type": "integer"}, "tags": {"type": "array"}}, "required": ["path"]})"),
      tool("now", "")};
  const std::string text =
      "I will write "
      "it.\n<tool_call>\n<function=write_file>\n<parameter=path>\na.html\n</parameter>\n<parameter=content>\n<p>\n\"é\"\n</p>\n\n"
      "</parameter>\n<parameter=mode>\n420\n</parameter>\n<parameter=tags>\n[\"x\", {\"y\": "
      "null}]\n</parameter>\n</function>\n</tool_call>\n"
      "<tool_call>\n<function=now>\n</function>\n</tool_call>";
  const std::string want =
      R"(I will write it.|write_file({"path": "a.html", "content": "<p>\n\"é\"\n</p>\n", "mode": 420, "tags": ["x", {"y": null}]})|now({}))";
  for (const size_t size : {size_t{1}, size_t{2}, size_t{5}, text.size()}) EXPECT_EQ(split_text(format, text, size, tools), want) << size;
  // Without its outer tag, and with numbers and words as the value of a text.
  EXPECT_EQ(split_text(format, "<function=write_file>\n<parameter=path>\n42\n</parameter>\n</function>", 1, tools),
            R"(|write_file({"path": "42"}))");
  EXPECT_EQ(split_text(format, "<tool_call><function=write_file><parameter=mode>rw</parameter></function></tool_call>", 1, tools),
            R"(|write_file({"mode": "rw"}))");
  for (const std::string other :
       {"<tool_call>\n<function=rm>\n</function>\n</tool_call>", "<tool_call>\nnonsense", "<function=", "a <function"}) {
    for (const size_t size : {size_t{1}, other.size()}) EXPECT_EQ(split_text(format, other, size, tools), other) << size;
  }
}

TEST(TaggedCalls, stream_texts_before_they_are_whole) {
  ToolCallSplitter splitter(format_named("qwen3_coder"), {tool("f", R"({"type": "object", "properties": {"code": {"type": "string"}}})")});
  EXPECT_EQ(told(splitter.push("<tool_call>\n<function=f>\n<parameter=code>\nint x;\nint")), "|f({\"code\": \"int x;\\nint)");
  const auto more = splitter.push(" y;\n</para");
  ASSERT_EQ(more.size(), 1u);
  EXPECT_EQ(more[0].arguments, " y;") << "a line break and what may be the tag wait";
}

// As https://huggingface.co/zai-org/GLM-4.6's template shows it.
TEST(TaggedCalls, of_glm) {
  const ToolFormat& format = format_named("glm");
  const std::vector<Tool> tools = {
      tool("get_weather", R"({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}})"),
      tool("now", "")};
  const std::string text =
      "\n<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris, "
      "\"5e\"</arg_value>\n<arg_key>days</arg_key>\n<arg_value>3</arg_value>\n"
      "</tool_call>\n<tool_call>now\n</tool_call>";
  const std::string want = R"(|get_weather({"city": "Paris, \"5e\"", "days": 3})|now({}))";
  for (const size_t size : {size_t{1}, size_t{2}, size_t{5}, text.size()}) EXPECT_EQ(split_text(format, text, size, tools), want) << size;
  EXPECT_EQ(split_text(format, "<tool_call>now</tool_call>", 1, tools), "|now({})");
  EXPECT_EQ(split_text(format, "<tool_call>other\n</tool_call>", 1, tools), "<tool_call>other\n</tool_call>");
}

TEST(TaggedCalls, are_held_to_their_schema) {
  const Tool tools[] = {tool("f", R"({"type": "object", "properties": {"unit": {"enum": ["C", "F"]}, "note": {"type": "string"},
      "n": {"$ref": "#/$defs/n"}, "id": {"type": "string", "pattern": "^[a-z]{2}$"}}, "required": ["unit"], "$defs": {"n": {"type": "integer"}}})")};
  for (const char* name : {"qwen3_coder", "glm"}) {
    const ToolFormat& format = format_named(name);
    GrammarAutomaton automaton(Grammar::compile(tool_call_rules(format, tools, false, false).value()).value());
    const auto accepts = [&](const std::string& arguments) {
      const ToolCall call[] = {{"f", arguments}};
      const auto state = automaton.step(automaton.start(), write_tool_calls(format, call));
      return state >= 0 && automaton.is_final(state);
    };
    EXPECT_TRUE(accepts(R"({"unit": "C"})"));
    EXPECT_TRUE(accepts(R"({"unit": "F", "note": "a <b> </p> </arg </par\nx\n", "n": -3, "id": "ab"})"));
    EXPECT_FALSE(accepts(R"({"unit": "K"})"));
    EXPECT_FALSE(accepts(R"({"note": "no unit"})"));
    EXPECT_FALSE(accepts(R"({"unit": "C", "n": "x"})"));
    EXPECT_FALSE(accepts(R"({"unit": "C", "id": "abc"})"));
    EXPECT_FALSE(accepts(R"({"unit": "C", "other": 1})"));
    const Tool dated[] = {tool("f", R"({"type": "object", "properties": {"day": {"type": "string", "format": "date"}}})")};
    EXPECT_EQ(tool_call_rules(format, dated, false, false).status().code(), StatusCode::kUnsupported);
  }
}

// "~thought~text|name(arguments)": what the pieces say together.
std::string channels_told(const std::string& text, size_t piece_size) {
  ChannelSplitter splitter({"get_weather", "f"});
  std::vector<ChannelSplitter::Piece> all;
  for (size_t begin = 0; begin < text.size(); begin += piece_size) {
    auto some = splitter.push(std::string_view(text).substr(begin, piece_size));
    all.insert(all.end(), some.begin(), some.end());
  }
  auto rest = splitter.finish();
  all.insert(all.end(), rest.begin(), rest.end());
  std::string out, thought;
  for (const auto& piece : all) {
    if (piece.is_thought) {
      thought += piece.text;
    } else {
      out += piece.name.empty() ? piece.text + piece.arguments : "|" + piece.name + " ";
    }
  }
  return (thought.empty() ? "" : "~" + thought + "~") + out;
}

// The examples of https://cookbook.openai.com/articles/openai-harmony, behind the prompt's <|start|>assistant.
TEST(ChannelSplitter, reads_harmony) {
  const std::pair<std::string, std::string> cases[] = {
      {"<|channel|>analysis<|message|>User asks: \"What is 2 + 2?\" Simple "
       "arithmetic.<|end|><|start|>assistant<|channel|>final<|message|>2 + 2 = 4.",
       "~User asks: \"What is 2 + 2?\" Simple arithmetic.~2 + 2 = 4."},
      {"<|channel|>analysis<|message|>Need to use function get_weather.<|end|><|start|>assistant<|channel|>commentary "
       "to=functions.get_weather "
       "<|constrain|>json<|message|>{\"location\":\"San Francisco\"}<|call|>",
       "~Need to use function get_weather.~|get_weather {\"location\":\"San Francisco\"}"},
      {" to=functions.f<|channel|>commentary json<|message|>{\"a\": \"<\"}", "|f {\"a\": \"<\"}"},
      {"<|start|>assistant to=functions.f<|channel|>commentary<|message|>{}<|call|>", "|f {}"},
      {"<|channel|>commentary<|message|>**Plan**: look.<|end|><|start|>assistant<|channel|>commentary to=functions.f "
       "<|constrain|>json<|message|>{}",
       "**Plan**: look.|f {}"},
      {"<|channel|>commentary to=functions.rm <|constrain|>json<|message|>{}<|call|>", "{}"},
      {"No head at all, a < b and <|", "No head at all, a < b and <|"},
      {" to be or not", " to be or not"},
      {"<|start|>" + std::string(3000, 'x'), "<|start|>" + std::string(3000, 'x')}};
  for (const auto& [text, want] : cases) {
    for (const size_t size : {size_t{1}, size_t{3}, size_t{8}, text.size()}) EXPECT_EQ(channels_told(text, size), want) << size;
  }
}

TEST(ChannelSplitter, reads_back_what_the_format_writes) {
  const ToolCall calls[] = {{"get_weather", R"({"city": "Paris } \" ]"})"}, {"f", "{}"}};
  const std::string text = write_tool_calls(format_named("harmony"), calls);
  EXPECT_EQ(channels_told(text, 1), R"(|get_weather {"city": "Paris } \" ]"}|f {})");
}

// A vocabulary of letters and two longer tokens, with the last id to stop.
class StagedMaskTest : public ::testing::Test {
 protected:
  StagedMaskTest() {
    std::vector<std::string> bytes;
    for (int c = 0; c < 128; ++c) bytes.emplace_back(1, static_cast<char>(c));
    bytes.insert(bytes.end(), {"</think>", ">{", ">x", "<call>", ""});
    stop_ = static_cast<int32_t>(bytes.size()) - 1;
    auto vocabulary = std::make_shared<const TokenBytes>(std::move(bytes));
    const std::vector<GrammarRule> rules = {{"root", Expression::literal("{}")}};
    constraint_ = Constraint::compile(rules, vocabulary).value();
  }
  // Whether `next` may come behind `text`, spelled letter by letter.
  bool may_follow(const MaskStages& stages, const std::string& text, int32_t next) {
    TokenMask mask = staged_mask(constraint_, {stop_}, stages);
    std::vector<int32_t> answer;
    std::vector<uint64_t> allowed;
    for (size_t i = 0; i <= text.size(); ++i) {
      allowed.assign(3, 0);
      const Status status = mask(answer, allowed);
      EXPECT_TRUE(status.ok()) << status.message();
      if (i < text.size()) answer.push_back(text[i]);
    }
    return (allowed[static_cast<size_t>(next) / 64] >> (next % 64) & 1) != 0;
  }
  std::shared_ptr<Constraint> constraint_;
  int32_t stop_ = 0;
  static constexpr int32_t kClose = 128, kCloseAndBrace = 129, kCloseAndX = 130, kCall = 131;
};

TEST_F(StagedMaskTest, holds_behind_a_thought) {
  const MaskStages inside{ThoughtStart::kInside, {}, ""};
  EXPECT_TRUE(may_follow(inside, "", 'x'));
  EXPECT_FALSE(may_follow(inside, "hm", stop_)) << "an answer must come";
  EXPECT_TRUE(may_follow(inside, "hm", kClose));
  EXPECT_TRUE(may_follow(inside, "hm</think", kCloseAndBrace));
  EXPECT_FALSE(may_follow(inside, "hm</think", kCloseAndX)) << "what follows in the token is not the grammar's";
  EXPECT_TRUE(may_follow(inside, "hm</thin", kCloseAndX));
  EXPECT_FALSE(may_follow(inside, "hm</think>", 'x'));
  EXPECT_TRUE(may_follow(inside, "hm</think>", '{'));
  EXPECT_TRUE(may_follow(inside, "hm</think>{}", stop_));
  EXPECT_FALSE(may_follow(inside, "hm</think>{", stop_));
}

TEST_F(StagedMaskTest, lets_a_thought_begin_or_not) {
  const MaskStages either{ThoughtStart::kMayOpen, {}, ""};
  EXPECT_TRUE(may_follow(either, "", '<'));
  EXPECT_TRUE(may_follow(either, "", '{'));
  EXPECT_FALSE(may_follow(either, "", 'x'));
  EXPECT_FALSE(may_follow(either, "<", 'x'));
  EXPECT_TRUE(may_follow(either, "<think>", 'x'));
  EXPECT_FALSE(may_follow(either, "<think>x</think>", 'x'));
  EXPECT_TRUE(may_follow(either, "{", '}'));
}

TEST_F(StagedMaskTest, holds_behind_a_sign_that_need_not_come) {
  const MaskStages lazy{ThoughtStart::kNone, {}, "<call>"};
  EXPECT_TRUE(may_follow(lazy, "", stop_));
  EXPECT_TRUE(may_follow(lazy, "some text", 'x'));
  EXPECT_TRUE(may_follow(lazy, "some text", kCall));
  EXPECT_FALSE(may_follow(lazy, "text<call>", 'x'));
  EXPECT_FALSE(may_follow(lazy, "text<call>", stop_));
  EXPECT_TRUE(may_follow(lazy, "text<call>{}", stop_));
  EXPECT_FALSE(may_follow(lazy, "text<call", kCloseAndX));
}

}  // namespace
}  // namespace atelier::generate
