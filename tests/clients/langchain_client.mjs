// npm `@langchain/openai` against `atelier serve`: node langchain_client.mjs URL MODEL
import assert from "node:assert/strict";
import { HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { assertWeather, becomesIdle, run, validatingFetch, weatherSchema } from "./validating_fetch.mjs";

const [url, model] = process.argv.slice(2);
const { fetch, settle } = await validatingFetch(url);
const configuration = { baseURL: `${url}/v1`, fetch };
const chat = (options = {}) => new ChatOpenAI({ model, apiKey: "any", temperature: 0, maxTokens: 16, maxRetries: 0, configuration, ...options });
const messages = [new SystemMessage("Be brief."), new HumanMessage("What is the capital of France?")];
const tool = { type: "function", function: { name: "get_weather", description: "The weather of a city", parameters: weatherSchema } };

await run("@langchain/openai", {
  async chatAndStreamAgree() {
    const whole = await chat().invoke(messages);
    let text = "";
    for await (const chunk of await chat().stream(messages)) text += chunk.content;
    assert.equal(text, whole.content);
    assert.ok(whole.usage_metadata.output_tokens >= 1 && whole.usage_metadata.output_tokens <= 16);
  },
  async tools() {
    const bound = chat({ maxTokens: 100 }).bindTools([tool], { tool_choice: "get_weather" });
    const answer = await bound.invoke(messages);
    assertWeather(answer.tool_calls[0].args);
    let gathered;
    for await (const chunk of await bound.stream(messages)) gathered = gathered === undefined ? chunk : gathered.concat(chunk);
    assert.deepEqual(gathered.tool_calls[0].args, answer.tool_calls[0].args);
    await chat().invoke([...messages, answer, new ToolMessage({ tool_call_id: answer.tool_calls[0].id, content: "21 degrees" })]);
  },
  async schema() {
    const structured = chat({ maxTokens: 80 }).withStructuredOutput(weatherSchema, { name: "weather", method: "jsonSchema" });
    assertWeather(await structured.invoke(messages));
  },
  async embeddings() {
    const vectors = await new OpenAIEmbeddings({ model, apiKey: "any", maxRetries: 0, configuration }).embedDocuments(["a cat", "a kitten"]);
    assert.equal(vectors.length, 2);
    assert.ok(vectors[0].length > 0);
  },
  async errors() {
    await assert.rejects(chat({ model: "none" }).invoke(messages), /404/);
  },
  async cancel() {
    const controller = new AbortController();
    const stream = await chat({ maxTokens: 1500, temperature: 1 }).stream(messages, { signal: controller.signal });
    await assert.rejects(async () => {
      for await (const chunk of stream) {
        if (chunk.content) controller.abort();
      }
    });
    assert.ok(await becomesIdle(url));
  },
}, settle);
