// Calls of functions in every shape: OpenAI's chat and responses, Anthropic's messages, Ollama's chat.
#include <gtest/gtest.h>

#include "tests/support/json_at.h"
#include "tests/support/test_server.h"

namespace atelier::serve {
namespace {

using testing::at;
using testing::HttpAnswer;

TestServer& server() {
  static TestServer instance({.context = 1024});  // descriptions of tools are long
  return instance;
}

// "data: {…}" lines, [DONE] left out; "event: NAME" lines must name the object's type.
std::vector<Json> events(const std::string& body) {
  std::vector<Json> all;
  std::string name;
  for (size_t begin = 0, end; (end = body.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = body.substr(begin, end - begin);
    if (line.starts_with("event: ")) name = line.substr(7);
    if (!line.starts_with("data: {")) continue;
    all.push_back(Json::parse(line.substr(6), "event").value());
    if (!name.empty()) {
      EXPECT_EQ(at(all.back(), {"type"}).as_string(), name);
    }
  }
  return all;
}

constexpr const char* kSchema =
    R"({"type": "object", "properties": {"ok": {"type": "boolean"}, "n": {"enum": [1, 22]}}, "required": ["ok", "n"]})";

std::string chat(const std::string& more) {
  return std::string(R"({"messages": [{"role": "user", "content": "Hi"}], "seed": 3, "max_tokens": 300, "tools": [
           {"type": "function", "function": {"name": "look", "description": "Looks", "parameters": )") +
         kSchema + R"(}}, {"type": "function", "function": {"name": "wait"}}])" + more + "}";
}

void expect_look(const std::string& arguments) {
  const auto json = Json::parse(arguments, "arguments");
  ASSERT_TRUE(json.ok()) << arguments;
  EXPECT_TRUE(at(*json, {"ok"}).is_bool()) << arguments;
  EXPECT_TRUE(at(*json, {"n"}).is_int()) << arguments;
}

constexpr const char* kLook = R"(, "tool_choice": {"type": "function", "function": {"name": "look"}})";

TEST(Tools, ANamedOneIsCalledWithArgumentsOfItsSchema) {
  const HttpAnswer answer = server().post("/v1/chat/completions", chat(kLook));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json json = answer.json();
  EXPECT_EQ(at(json, {"choices", "0", "finish_reason"}).as_string(), "tool_calls") << answer.body;
  EXPECT_TRUE(at(json, {"choices", "0", "message", "content"}).is_null());
  const Json& calls = at(json, {"choices", "0", "message", "tool_calls"});
  ASSERT_EQ(calls.as_array().size(), 1u);
  EXPECT_EQ(at(calls, {"0", "type"}).as_string(), "function");
  EXPECT_EQ(at(calls, {"0", "id"}).as_string().size(), 9u);
  EXPECT_EQ(at(calls, {"0", "function", "name"}).as_string(), "look");
  expect_look(at(calls, {"0", "function", "arguments"}).as_string());
}

TEST(Tools, StreamTheSameCallInPieces) {
  const Json whole = server().post("/v1/chat/completions", chat(kLook)).json();
  const auto chunks = events(server().post("/v1/chat/completions", chat(std::string(kLook) + R"(, "stream": true)")).body);
  std::string name, arguments, finish;
  int num_parts = 0;
  for (const Json& chunk : chunks) {
    const Json& choice = at(chunk, {"choices", "0"});
    if (at(choice, {"finish_reason"}).is_string()) finish = at(choice, {"finish_reason"}).as_string();
    const Json* calls = at(choice, {"delta"}).find("tool_calls");
    if (calls == nullptr) continue;
    const Json& call = at(*calls, {"0"});
    EXPECT_EQ(at(call, {"index"}).as_int(), 0);
    EXPECT_EQ(call.contains("id"), num_parts == 0);
    if (const Json* named = at(call, {"function"}).find("name")) name += named->as_string();
    arguments += at(call, {"function", "arguments"}).as_string();
    ++num_parts;
  }
  EXPECT_EQ(name, "look");
  EXPECT_EQ(finish, "tool_calls");
  EXPECT_GT(num_parts, 2);
  EXPECT_EQ(arguments, at(whole, {"choices", "0", "message", "tool_calls", "0", "function", "arguments"}).as_string());
}

TEST(Tools, RequiredAndSeveralChoices) {
  const HttpAnswer answer = server().post("/v1/chat/completions",
                                          chat(R"(, "tool_choice": "required", "parallel_tool_calls": false, "n": 2, "max_tokens": 150)"));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json json = answer.json();
  for (const Json& choice : at(json, {"choices"}).as_array()) {
    if (at(choice, {"finish_reason"}).as_string() == "length") continue;
    EXPECT_EQ(at(choice, {"message", "tool_calls"}).as_array().size(), 1u) << choice.dump();
  }
}

TEST(Tools, AreRefusedByName) {
  for (const std::string more : {R"(, "tool_choice": {"type": "function", "function": {"name": "run"}})", R"(, "tool_choice": "perhaps")",
                                 R"(, "tool_choice": {"type": "custom"})"}) {
    EXPECT_EQ(server().post("/v1/chat/completions", chat(more)).status, 400) << more;
  }
  const std::string messages = R"({"messages": [{"role": "user", "content": "x"}], "max_tokens": 3)";
  for (
      const std::string more :
      {R"(, "tools": [{"type": "function", "function": {"name": "a b"}}])", R"(, "tool_choice": "required")",
       R"(, "tools": [{"type": "function", "function": {"name": "a"}}, {"type": "function", "function": {"name": "a"}}])",
       R"(, "tools": [{"type": "function", "function": {"name": "a", "parameters": {"type": "object", "not": {}}}}], "tool_choice": "required")",
       R"(, "tools": [{"type": "retrieval"}])"}) {
    EXPECT_EQ(server().post("/v1/chat/completions", messages + more + "}").status, 400) << more;
  }
  const std::string loose = R"(, "tools": [{"type": "function", "function": {"name": "a", "parameters": {"type": "object", "not": {}}}}])";
  EXPECT_EQ(server().post("/v1/chat/completions", messages + loose + "}").status, 200)
      << "a call that nobody asked for may have any arguments";
}

TEST(Tools, AreToldOfWhereTheTemplateHasNoPlaceAndTheirResultsToo) {
  const std::string messages = R"("messages": [{"role": "user", "content": "Hi"},
      {"role": "assistant", "content": null, "tool_calls": [{"id": "x", "type": "function", "function": {"name": "look", "arguments": "{\"n\": 1}"}}]},
      {"role": "tool", "tool_call_id": "x", "content": "It is 21 degrees."}])";
  const HttpAnswer counted = server().post("/v1/messages/count_tokens", R"({"messages": [{"role": "user", "content": "Hi"}],
      "tools": [{"name": "look", "input_schema": {"type": "object"}}]})");
  const HttpAnswer plain = server().post("/v1/messages/count_tokens", R"({"messages": [{"role": "user", "content": "Hi"}]})");
  EXPECT_GT(at(counted.json(), {"input_tokens"}).as_int(), at(plain.json(), {"input_tokens"}).as_int()) << counted.body;
  const std::string prompt = at(server().post("/apply-template", "{" + messages + "}").json(), {"prompt"}).as_string();
  EXPECT_NE(prompt.find("{\"name\": \"look\", \"arguments\": {\"n\": 1}}"), std::string::npos) << prompt;
  EXPECT_NE(prompt.find("<tool_response>\nIt is 21 degrees.\n</tool_response>"), std::string::npos) << prompt;
}

TEST(Tools, OfATemplateAreCheckedToo) {
  const std::string body =
      R"({"messages": [{"role": "user", "content": "x"}], "tools": [{"type": "function", "function": {"name": "a"}}], )";
  for (const std::string more : {R"("tool_choice": {"type": "function", "name": 3}})", R"("parallel_tool_calls": "no"})"})
    EXPECT_EQ(server().post("/apply-template", body + more).status, 400) << more;
}

TEST(Tools, OllamasAreWhole) {
  const std::string body = R"({"model": "tiny", "messages": [{"role": "user", "content": "Hi"}], "options": {"num_predict": 4},
      "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]})";
  EXPECT_EQ(server().post("/api/chat", body).status, 200);
}

TEST(Messages, AnswerInAnthropicsShape) {
  const std::string body =
      R"({"model": "tiny", "max_tokens": 8, "seed": 5, "system": "Be brief.", "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}])";
  const HttpAnswer answer = server().post("/v1/messages", body + "}");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json json = answer.json();
  EXPECT_EQ(at(json, {"type"}).as_string(), "message");
  EXPECT_EQ(at(json, {"stop_reason"}).as_string(), "max_tokens");
  EXPECT_EQ(at(json, {"usage", "output_tokens"}).as_int(), 8);
  std::string streamed, kinds;
  for (const Json& event : events(server().post("/v1/messages", body + R"(, "stream": true})").body)) {
    kinds += at(event, {"type"}).as_string() + " ";
    if (at(event, {"type"}).as_string() == "content_block_delta") streamed += at(event, {"delta", "text"}).as_string();
  }
  EXPECT_EQ(streamed, at(json, {"content", "0", "text"}).as_string());
  EXPECT_TRUE(kinds.starts_with("message_start content_block_start content_block_delta ")) << kinds;
  EXPECT_TRUE(kinds.ends_with("content_block_stop message_delta message_stop ")) << kinds;
}

TEST(Messages, CallTools) {
  const std::string body = std::string(R"({"model": "tiny", "max_tokens": 90, "seed": 3, "messages": [{"role": "user", "content": "Hi"}],
      "tools": [{"name": "look", "input_schema": )") +
                           kSchema + R"(}], "tool_choice": {"type": "tool", "name": "look"})";
  const HttpAnswer answer = server().post("/v1/messages", body + "}");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json json = answer.json();
  EXPECT_EQ(at(json, {"stop_reason"}).as_string(), "tool_use") << answer.body;
  EXPECT_EQ(at(json, {"content", "0", "name"}).as_string(), "look");
  expect_look(at(json, {"content", "0", "input"}).dump());
  std::string partial;
  for (const Json& event : events(server().post("/v1/messages", body + R"(, "stream": true})").body)) {
    if (at(event, {"type"}).as_string() == "content_block_delta") partial += at(event, {"delta", "partial_json"}).as_string();
  }
  expect_look(partial);
  const std::string more = R"({"model": "tiny", "max_tokens": 2, "messages": [{"role": "user", "content": "Hi"},
      {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": ""}, {"type": "tool_use", "id": "t", "name": "look", "input": {"n": 1}}]},
      {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "21"}]}, {"type": "text", "text": "And?"}]}]})";
  EXPECT_EQ(server().post("/v1/messages", more).status, 200);
}

TEST(Messages, ErrorsAreAnthropics) {
  const HttpAnswer missing = server().post("/v1/messages", R"({"model": "tiny", "messages": [{"role": "user", "content": "x"}]})");
  EXPECT_EQ(missing.status, 400);
  EXPECT_EQ(at(missing.json(), {"type"}).as_string(), "error");
  EXPECT_EQ(at(missing.json(), {"error", "type"}).as_string(), "invalid_request_error");
  EXPECT_EQ(server().post("/v1/messages", R"({"model": "none", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]})").status,
            404);
  EXPECT_EQ(
      server()
          .post("/v1/messages", R"({"model": "tiny", "max_tokens": 1, "messages": [{"role": "user", "content": [{"type": "image"}]}]})")
          .status,
      400);
}

TEST(Responses, AnswerWithItems) {
  const std::string body = R"({"model": "tiny", "input": "Hi", "instructions": "Be brief.", "max_output_tokens": 8, "seed": 4)";
  const HttpAnswer answer = server().post("/v1/responses", body + "}");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json json = answer.json();
  EXPECT_EQ(at(json, {"object"}).as_string(), "response");
  EXPECT_EQ(at(json, {"status"}).as_string(), "incomplete");
  EXPECT_EQ(at(json, {"incomplete_details", "reason"}).as_string(), "max_output_tokens");
  EXPECT_EQ(at(json, {"usage", "output_tokens"}).as_int(), 8);
  const std::string text = at(json, {"output", "0", "content", "0", "text"}).as_string();
  std::string streamed, kinds;
  int64_t number = 0;
  for (const Json& event : events(server().post("/v1/responses", body + R"(, "stream": true})").body)) {
    EXPECT_EQ(at(event, {"sequence_number"}).as_int(), number++);
    kinds += at(event, {"type"}).as_string() + " ";
    if (at(event, {"type"}).as_string() == "response.output_text.delta") streamed += at(event, {"delta"}).as_string();
  }
  EXPECT_EQ(streamed, text);
  EXPECT_TRUE(kinds.starts_with("response.created response.in_progress response.output_item.added response.content_part.added ")) << kinds;
  EXPECT_TRUE(kinds.ends_with("response.output_text.done response.content_part.done response.output_item.done response.incomplete "))
      << kinds;
}

TEST(Responses, CallToolsAndTakeTheirOutputs) {
  const std::string body = std::string(R"({"model": "tiny", "input": "Hi", "max_output_tokens": 300, "seed": 3, "tools": [
      {"type": "function", "name": "look", "parameters": )") +
                           kSchema + R"(}], "tool_choice": {"type": "function", "name": "look"}})";
  const HttpAnswer answer = server().post("/v1/responses", body);
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json json = answer.json();
  const Json& call = at(json, {"output", "0"});
  EXPECT_EQ(at(call, {"type"}).as_string(), "function_call");
  expect_look(at(call, {"arguments"}).as_string());
  Json output = Json::object().set("type", "function_call_output").set("call_id", at(call, {"call_id"})).set("output", "21");
  Json input = Json::array().push_back(Json::object().set("role", "user").set("content", "Hi"));
  input.push_back(call).push_back(std::move(output));
  const Json next = Json::object().set("model", "tiny").set("input", std::move(input)).set("max_output_tokens", 2);
  EXPECT_EQ(server().post("/v1/responses", next.dump()).status, 200);
  const std::string form =
      R"({"input": "x", "max_output_tokens": 300, "seed": 3, "text": {"format": {"type": "json_schema", "name": "n", "schema": )" +
      std::string(kSchema) + "}}}";
  expect_look(at(server().post("/v1/responses", form).json(), {"output", "0", "content", "0", "text"}).as_string());
}

TEST(Responses, KeepNoState) {
  const HttpAnswer refused = server().post("/v1/responses", R"({"input": "x", "previous_response_id": "resp_1"})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(at(refused.json(), {"error", "param"}).as_string(), "previous_response_id");
  EXPECT_EQ(server().post("/v1/responses", R"({"input": [{"type": "item_reference", "id": "x"}]})").status, 400);
}

TEST(Truncation, HappensOnRequestAndIsToldOf) {
  std::string messages = R"("messages": [{"role": "system", "content": "s"})";
  for (int i = 0; i < 40; ++i) messages += R"(, {"role": "user", "content": ")" + std::string(60, 'q') + "\"}";
  const std::string body = "{" + messages + R"(], "max_tokens": 1)";
  EXPECT_EQ(server().post("/v1/chat/completions", body + "}").status, 400);
  const HttpAnswer cut = server().post("/v1/chat/completions", body + R"(, "truncate": true})");
  ASSERT_EQ(cut.status, 200) << cut.body;
  EXPECT_GT(at(cut.json(), {"truncated_messages"}).as_int(), 0);
}

TEST(Truncation, LeavesOutWholeTurnsAndNoMoreThanNeeded) {
  const std::string turn = R"(, {"role": "user", "content": ")" + std::string(40, 'q') + R"("}, {"role": "assistant", "content": ")" +
                           std::string(40, 'a') + "\"}";
  const auto body = [&](int num_turns) {
    std::string messages = R"({"messages": [{"role": "system", "content": "s"})";
    for (int i = 0; i < num_turns; ++i) messages += turn;
    return messages + R"(, {"role": "user", "content": "last"}], "max_tokens": 1, "truncate": true})";
  };
  const HttpAnswer cut = server().post("/v1/chat/completions", body(60));
  ASSERT_EQ(cut.status, 200) << cut.body;
  const int64_t num_cut = at(cut.json(), {"truncated_messages"}).as_int();
  EXPECT_EQ(num_cut % 2, 0) << "a question goes with its answer";
  // What was kept is what fits, and one turn more is not.
  const int num_kept = 60 - static_cast<int>(num_cut / 2);
  const HttpAnswer kept = server().post("/v1/chat/completions", body(num_kept));
  EXPECT_FALSE(kept.json().contains("truncated_messages")) << kept.body;
  EXPECT_EQ(at(kept.json(), {"usage", "prompt_tokens"}), at(cut.json(), {"usage", "prompt_tokens"}));
  EXPECT_EQ(at(server().post("/v1/chat/completions", body(num_kept + 1)).json(), {"truncated_messages"}).as_int(), 2);
  // A last message that is too long alone is an error with both numbers.
  const std::string lone = R"({"messages": [{"role": "user", "content": ")" + std::string(6000, 'q') + R"("}], "truncate": true})";
  EXPECT_EQ(server().post("/v1/chat/completions", lone).status, 400);
}

TEST(Samplers, DryWeakensRepetitions) {
  const auto answer = [](const std::string& more) {
    return at(
        server().post("/v1/completions", R"({"prompt": "a b c a b c a b c a b", "max_tokens": 24, "temperature": 0)" + more + "}").json(),
        {"choices", "0", "text"});
  };
  EXPECT_NE(answer(""), answer(R"(, "dry_multiplier": 50, "dry_sequence_breakers": ["#"])"));
  EXPECT_EQ(server().post("/v1/completions", R"({"prompt": "x", "dry_base": 0})").status, 400);
}

TEST(Admin, NeedsAKeyOrTheFlag) {
  const std::string body = R"({"id": "a", "path": "/no/such/folder"})";
  EXPECT_EQ(server().post("/lora-adapters", body).status, 403);
  EXPECT_EQ(server().post("/api/pull", R"({"model": "a/b"})").status, 403);
  EXPECT_EQ(server().get("/lora-adapters").status, 200);
  TestServer open({.service = {.allow_admin = true}});
  EXPECT_EQ(open.post("/lora-adapters", body).status, 400);
  EXPECT_EQ(open.post("/v1/chat/completions", R"({"messages": [{"role": "user", "content": "x"}], "lora": [{"id": "a"}]})").status, 400);
  const HttpAnswer inside = open.post("/api/pull", R"({"model": "http://127.0.0.1:1/x.gguf", "stream": false})");
  EXPECT_EQ(inside.status, 400) << inside.body;
  EXPECT_NE(inside.body.find("public internet"), std::string::npos) << inside.body;
}

TEST(LoraAdapters, AreLoadedChosenAndForgotten) {
  TestServer open({.service = {.allow_admin = true}});
  const auto answer = [&](const std::string& more) {
    return open.post("/v1/completions", R"({"prompt": "once upon", "max_tokens": 8, "temperature": 0)" + more + "}");
  };
  const Json plain = at(answer("").json(), {"choices", "0", "text"});
  const std::string folder = ATELIER_SOURCE_DIR "/tests/golden/adapters/smollm2";
  const HttpAnswer loaded = open.post("/lora-adapters", R"({"id": "tuned", "path": ")" + folder + "\"}");
  ASSERT_EQ(loaded.status, 200) << loaded.body;
  EXPECT_EQ(open.post("/lora-adapters", R"({"id": "tuned", "path": ")" + folder + "\"}").status, 400) << "the name is taken";
  EXPECT_EQ(at(open.get("/lora-adapters").json(), {"0", "id"}).as_string(), "tuned");
  EXPECT_NE(at(answer(R"(, "lora": [{"id": "tuned", "scale": 4}])").json(), {"choices", "0", "text"}), plain);
  EXPECT_EQ(at(answer(R"(, "lora": [{"id": "tuned", "scale": 0}])").json(), {"choices", "0", "text"}), plain);
  EXPECT_EQ(at(answer("").json(), {"choices", "0", "text"}), plain);
  testing::HttpClient client(open.port());
  client.send("DELETE /lora-adapters/tuned HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(answer(R"(, "lora": [{"id": "tuned"}])").status, 400);
  EXPECT_EQ(open.get("/lora-adapters").json(), Json::array());
}

}  // namespace
}  // namespace atelier::serve
