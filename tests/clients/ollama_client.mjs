// npm `ollama` against `atelier serve`: node ollama_client.mjs URL MODEL
import assert from "node:assert/strict";
import { Ollama } from "ollama";
import { assertWeather, becomesIdle, run, validatingFetch, weatherSchema } from "./validating_fetch.mjs";

const [url, model] = process.argv.slice(2);
const { fetch, settle } = await validatingFetch(url);
const client = new Ollama({ host: url, fetch });
const question = { model, messages: [{ role: "user", content: "What is the capital of France?" }], options: { num_predict: 16, temperature: 0 } };
const tools = [{ type: "function", function: { name: "get_weather", description: "The weather of a city", parameters: weatherSchema } }];

await run("ollama (npm)", {
  async chatAndStreamAgree() {
    const whole = await client.chat(question);
    let text = "";
    for await (const part of await client.chat({ ...question, stream: true })) text += part.message.content;
    assert.equal(text, whole.message.content);
    assert.equal(whole.eval_count, 16);
  },
  async generate() {
    const answer = await client.generate({ model, prompt: "Once upon a time", raw: true, options: { num_predict: 6, temperature: 0 } });
    assert.ok(answer.response.length > 0);
  },
  async schema() {
    assertWeather(JSON.parse((await client.chat({ ...question, format: weatherSchema, options: { num_predict: 80 } })).message.content));
  },
  async tools() {
    const answer = await client.chat({ ...question, tools, options: { num_predict: 40, temperature: 0 } });
    for (const call of answer.message.tool_calls ?? []) assert.equal(call.function.name, "get_weather");
    const after = await client.chat({
      ...question, tools,
      messages: [...question.messages, { role: "assistant", content: "", tool_calls: [{ function: { name: "get_weather", arguments: { city: "Paris", days: 1 } } }] },
        { role: "tool", tool_name: "get_weather", content: "21 degrees" }],
    });
    assert.ok(after.message);
  },
  async embeddings() {
    const { embeddings } = await client.embed({ model, input: ["a cat", "a kitten"] });
    assert.equal(embeddings.length, 2);
    assert.deepEqual((await client.embeddings({ model, prompt: "a cat" })).embedding, embeddings[0]);
  },
  async models() {
    assert.equal((await client.list()).models[0].name, model);
    assert.equal((await client.ps()).models[0].name, model);
    assert.ok((await client.show({ model })).details.family);
    assert.ok((await client.version()).version);
  },
  async errors() {
    await assert.rejects(client.chat({ ...question, model: "none" }), (error) => error.status_code === 404 && error.error.includes("none"));
    await assert.rejects(client.delete({ model: "none" }), (error) => error.status_code === 403);
  },
  async cancel() {
    const stream = await client.chat({ ...question, stream: true, options: { num_predict: 1500, temperature: 1 } });
    for await (const part of stream) {
      if (part.message.content) break;
    }
    stream.abort();
    assert.ok(await becomesIdle(url));
  },
}, settle);
