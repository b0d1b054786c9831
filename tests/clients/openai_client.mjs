// npm `openai` against `atelier serve`: node openai_client.mjs URL MODEL
import assert from "node:assert/strict";
import OpenAI from "openai";
import { assertWeather, becomesIdle, run, validatingFetch, weatherSchema } from "./validating_fetch.mjs";

const [url, model] = process.argv.slice(2);
const { fetch, settle } = await validatingFetch(url);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "any", maxRetries: 0, fetch });
const question = { model, messages: [{ role: "user", content: "What is the capital of France?" }], max_tokens: 16, temperature: 0 };
const tools = [{ type: "function", function: { name: "get_weather", description: "The weather of a city", parameters: weatherSchema } }];
const choice = { type: "function", function: { name: "get_weather" } };

await run("openai (npm)", {
  async chatAndStreamAgree() {
    const whole = await client.chat.completions.create(question);
    let text = "", usage = null;
    for await (const chunk of await client.chat.completions.create({ ...question, stream: true, stream_options: { include_usage: true } })) {
      text += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    assert.equal(text, whole.choices[0].message.content);
    assert.equal(usage.completion_tokens, 16);
  },
  async tools() {
    const whole = await client.chat.completions.create({ ...question, max_tokens: 100, tools, tool_choice: choice });
    assert.equal(whole.choices[0].finish_reason, "tool_calls");
    const call = whole.choices[0].message.tool_calls[0];
    assertWeather(JSON.parse(call.function.arguments));
    const runner = client.chat.completions.stream({ ...question, max_tokens: 100, tools, tool_choice: choice });
    const streamed = (await runner.finalChatCompletion()).choices[0].message.tool_calls[0];
    assert.equal(streamed.function.arguments, call.function.arguments);
    const after = await client.chat.completions.create({
      ...question, tools,
      messages: [...question.messages, whole.choices[0].message, { role: "tool", tool_call_id: call.id, content: "21 degrees" }],
    });
    assert.ok(after.choices[0].message);
    await client.chat.completions.create({ ...question, tools, tool_choice: "none" });
    await client.chat.completions.create({ ...question, tools });
  },
  async schema() {
    const answer = await client.chat.completions.create({
      ...question, max_tokens: 80, response_format: { type: "json_schema", json_schema: { name: "weather", strict: true, schema: weatherSchema } },
    });
    assertWeather(JSON.parse(answer.choices[0].message.content));
  },
  async embeddings() {
    const { data } = await client.embeddings.create({ model, input: ["a cat", "a kitten"] }); // base64, which the client unpacks
    const floats = await client.embeddings.create({ model, input: "a cat", encoding_format: "float" });
    assert.equal(data.length, 2);
    assert.deepEqual(data[0].embedding.map(Math.fround), floats.data[0].embedding.map(Math.fround));
  },
  async responses() {
    const whole = await client.responses.create({ model, input: "Name a colour.", max_output_tokens: 12, temperature: 0 });
    let text = "";
    for await (const event of await client.responses.create({ model, input: "Name a colour.", max_output_tokens: 12, temperature: 0, stream: true })) {
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    assert.equal(text, whole.output_text);
    const called = await client.responses.create({
      model, input: "Weather?", max_output_tokens: 100, temperature: 0, tools: [{ type: "function", name: "get_weather", parameters: weatherSchema, strict: true }],
      tool_choice: { type: "function", name: "get_weather" },
    });
    assertWeather(JSON.parse(called.output.find((item) => item.type === "function_call").arguments));
    await assert.rejects(client.responses.create({ model, input: "x", previous_response_id: "resp_1" }), OpenAI.BadRequestError);
  },
  async completions() {
    const answer = await client.completions.create({ model, prompt: "The capital of France is", max_tokens: 4, temperature: 0, echo: true, logprobs: 2 });
    assert.ok(answer.choices[0].text.startsWith("The capital of France is"));
  },
  async errors() {
    await assert.rejects(client.chat.completions.create({ ...question, model: "gpt-none" }), OpenAI.NotFoundError);
    await assert.rejects(client.chat.completions.create({ ...question, temperature: "hot" }), OpenAI.BadRequestError);
  },
  async cancel() {
    const stream = await client.chat.completions.create({ ...question, max_tokens: 1500, temperature: 1, stream: true });
    for await (const chunk of stream) {
      if (chunk.choices[0].delta.content) break; // which closes the connection
    }
    stream.controller.abort();
    assert.ok(await becomesIdle(url));
  },
}, settle);
