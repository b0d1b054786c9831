// npm `@anthropic-ai/sdk` against `atelier serve`: node anthropic_client.mjs URL MODEL
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { assertWeather, becomesIdle, run, validatingFetch, weatherSchema } from "./validating_fetch.mjs";

const [url, model] = process.argv.slice(2);
const { fetch, settle } = await validatingFetch(url);
const client = new Anthropic({ baseURL: url, apiKey: "any", maxRetries: 0, fetch });
const question = { model, max_tokens: 16, temperature: 0, system: "Be brief.", messages: [{ role: "user", content: "What is the capital of France?" }] };
const tools = [{ name: "get_weather", description: "The weather of a city", input_schema: weatherSchema }];
const tool_choice = { type: "tool", name: "get_weather" };

await run("@anthropic-ai/sdk", {
  async messageAndStreamAgree() {
    const whole = await client.messages.create(question);
    assert.ok(["end_turn", "max_tokens"].includes(whole.stop_reason));
    const streamed = await client.messages.stream(question).finalMessage();
    assert.deepEqual(streamed.content.map((block) => block.text), whole.content.map((block) => block.text));
    assert.equal(streamed.usage.output_tokens, whole.usage.output_tokens);
  },
  async tools() {
    const whole = await client.messages.create({ ...question, max_tokens: 100, tools, tool_choice });
    assert.equal(whole.stop_reason, "tool_use");
    const call = whole.content.find((block) => block.type === "tool_use");
    assertWeather(call.input);
    const streamed = await client.messages.stream({ ...question, max_tokens: 100, tools, tool_choice }).finalMessage();
    assert.deepEqual(streamed.content.find((block) => block.type === "tool_use").input, call.input);
    await client.messages.create({
      ...question, tools,
      messages: [...question.messages, { role: "assistant", content: whole.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "21 degrees" }] }],
    });
  },
  async countTokens() {
    const { model: named, system, messages } = question;
    const { input_tokens } = await client.messages.countTokens({ model: named, system, messages });
    assert.equal(input_tokens, (await client.messages.create(question)).usage.input_tokens);
  },
  async thinking() {
    await client.messages.create({ ...question, max_tokens: 1100, stop_sequences: ["."], thinking: { type: "enabled", budget_tokens: 1024 } });
  },
  async errors() {
    await assert.rejects(client.messages.create({ ...question, model: "none" }), Anthropic.NotFoundError);
    await assert.rejects(client.messages.create({ ...question, temperature: "hot" }), Anthropic.BadRequestError);
  },
  async cancel() {
    const stream = client.messages.stream({ ...question, max_tokens: 1500, temperature: 1 });
    stream.on("text", () => stream.abort());
    await assert.rejects(stream.done());
    assert.ok(await becomesIdle(url));
  },
}, settle);
