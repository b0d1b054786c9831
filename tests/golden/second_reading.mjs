// A second reading of templates/goldens.jsonl: how many of them @huggingface/jinja renders alike, and which it does not.
//
//     npm install @huggingface/jinja@0.5.11 && node tests/golden/second_reading.mjs
//
// That library is another implementation of the same subset; it raises less often than Jinja (missing attributes print nothing), and
// knows neither Python's markup strings nor all of its methods. Differences are listed, not judged: the goldens are transformers'.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const { Template } = createRequire(process.cwd() + "/")("@huggingface/jinja");
const folder = join(dirname(fileURLToPath(import.meta.url)), "templates");
const read = (name) => readFileSync(join(folder, name), "utf-8");
const conversations = JSON.parse(read("conversations.json"));
const goldens = read("goldens.jsonl").trimEnd().split("\n").map((line) => JSON.parse(line));

// strftime_now() of that library asks for the local time.
process.env.TZ = "UTC";
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(1721997296 * 1000);
    else super(...parts);
  }
};

// As render_jinja_template: reasoning under the names that templates read.
function withReasoning(message) {
  const found = ["reasoning_content", "thinking", "reasoning"].map((name) => message[name]).find((value) => value !== undefined && value !== null);
  return found === undefined ? message : { thinking: found, ...message, reasoning_content: found };
}

const counts = { "same text": 0, "both refuse": 0, "other text": 0, "only transformers refuses": 0, "only @huggingface/jinja refuses": 0 };
const different = {};
for (const { template, conversation, output, error } of goldens) {
  const { messages, ...variables } = conversations[conversation];
  let rendered;
  let refused;
  try {
    const all = { tools: null, documents: null, add_generation_prompt: false, ...variables, messages: messages.map(withReasoning) };
    rendered = new Template(read(template + ".jinja")).render(all);
  } catch (e) {
    refused = e;
  }
  const verdict = refused ? (error ? "both refuse" : "only @huggingface/jinja refuses")
    : error ? "only transformers refuses" : rendered === output ? "same text" : "other text";
  counts[verdict]++;
  if (verdict.startsWith("o")) (different[template] ??= []).push(`${conversation}: ${verdict}`);
}
console.log(counts);
for (const [template, cases] of Object.entries(different)) console.log(`${template}: ${cases.join("; ")}`);
