// fetch() that holds what a client sends and what it gets to the server's own OpenAPI file: bodies of requests and answers, each event of a
// stream (server-sent or a line of JSON), and errors.
import Ajv2020 from "ajv/dist/2020.js";

export async function validatingFetch(url) {
  const document = await (await fetch(`${url}/openapi.json`)).json();
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, "api");
  const resolve = (node) => (node.$ref ? node.$ref.slice(2).split("/").reduce((at, key) => at[key], document) : node);
  const pointer = (...keys) => keys.map((key) => encodeURIComponent(String(key).replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
  const faults = [];
  const counts = { requests: 0, answers: 0 };

  // A member that is null and not required counts as absent, in requests.
  const withoutNulls = (value) => {
    if (Array.isArray(value)) return value.map(withoutNulls);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null).map(([key, member]) => [key, withoutNulls(member)]));
  };
  const check = (what, keys, value) => {
    const validate = ajv.getSchema(`api#/${pointer(...keys)}`) ?? ajv.compile({ $ref: `api#/${pointer(...keys)}` });
    if (!validate(value)) faults.push(`${what}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(value).slice(0, 300)}`);
  };
  const operationOf = (method, path) => {
    for (const [pattern, operations] of Object.entries(document.paths)) {
      const expression = new RegExp(`^${pattern.replaceAll(/[.]/g, "[.]").replaceAll(/\{[^}]*\}/g, ".+")}$`);
      if (expression.test(path) && operations[method]) return ["paths", pattern, method];
    }
    return null;
  };

  const checkAnswer = async (what, operation, status, type, text) => {
    const responses = operation.reduce((at, key) => at[key], document).responses;
    const name = responses[status] ? String(status) : "default";
    let keys = [...operation, "responses", name];
    if (responses[name].$ref) keys = responses[name].$ref.slice(2).split("/");
    const content = resolve(responses[name]).content;
    const media = type.split(";")[0];
    if (!content[media]) return faults.push(`${what}: the answer is ${media}, which is not described`);
    const schema = [...keys, "content", media, "schema"];
    ++counts.answers;
    if (media === "application/json") return check(what, schema, JSON.parse(text));
    const lines = media === "text/event-stream" ? text.split("\n").filter((line) => line.startsWith("data: {")).map((line) => line.slice(6)) : text.split("\n");
    for (const line of lines.filter((one) => one !== "")) {
      const value = JSON.parse(line);
      if (!value.error) check(what, schema, value);
    }
  };

  const fetchAndCheck = async (input, init) => {
    const request = new Request(input, init);
    const method = request.method.toLowerCase();
    const path = new URL(request.url).pathname;
    const operation = operationOf(method, path);
    if (!operation) faults.push(`${method} ${path}: is not described`);
    const body = method === "get" ? "" : await request.clone().text();
    ++counts.requests;
    const answer = await fetch(request);
    // What the server refuses may be wrong; what it takes is as the file says.
    if (operation && body !== "" && answer.status === 200) {
      check(`${method} ${path}`, [...operation, "requestBody", "content", "application/json", "schema"], withoutNulls(JSON.parse(body)));
    }
    const copy = answer.clone();
    if (operation) {
      const checking = copy.text().then(
        (text) => checkAnswer(`${method} ${path} ${answer.status}`, operation, answer.status, answer.headers.get("content-type") ?? "", text),
        () => {}); // the client left
      pending.push(checking);
    }
    return answer;
  };
  const pending = [];
  const settle = async () => {
    await Promise.race([Promise.all(pending), new Promise((done) => setTimeout(done, 5000))]);
    if (faults.length > 0) throw new Error(`not as openapi.json says:\n${faults.join("\n")}`);
    return counts;
  };
  return { fetch: fetchAndCheck, settle };
}

// Runs functions by their names; a failure ends the program.
export async function run(client, tests, settle) {
  for (const [name, test] of Object.entries(tests)) {
    await test();
    console.log(`${client}: ${name} passed`);
  }
  const { requests, answers } = await settle();
  console.log(`${client}: ${requests} requests and ${answers} answers are as openapi.json says`);
  process.exit(0);
}

export async function becomesIdle(url) {
  for (let i = 0; i < 100; ++i) {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    if (/llamacpp:requests_processing\{[^}]*\} 0\n/.test(metrics)) return true;
    await new Promise((done) => setTimeout(done, 100));
    await fetch(`${url}/v1/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: '{"prompt": "x", "max_tokens": 1}' });
  }
  return false;
}

export const weatherSchema = {
  type: "object", properties: { city: { type: "string", maxLength: 20 }, days: { type: "integer", minimum: 1, maximum: 9 } },
  required: ["city", "days"], additionalProperties: false,
};
export function assertWeather(value) {
  if (typeof value.city !== "string" || !Number.isInteger(value.days) || value.days < 1 || value.days > 9) throw new Error(`no weather: ${JSON.stringify(value)}`);
}
