import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

import { to_curl, to_python, to_python_literal } from './export';

const body = { messages: [{ role: 'user', content: `It's "é"\n$HOME \\ \u2028` }], top_k: 4, seed: 7, stop: ['a', 'b'], stream: true };

test('the shell gives curl the very body', () => {
  const command = to_curl('http://localhost:8080', '/v1/chat/completions', body);
  const stub = `curl() { for last; do :; done; printf %s "$last"; }\n`;
  expect(JSON.parse(execFileSync('bash', ['-c', stub + command], { encoding: 'utf8' }))).toEqual(body);
});

test('Python reads the very body', () => {
  const program = `import json\nprint(json.dumps(${to_python_literal({ ...body, none: null, yes: true })}))`;
  expect(JSON.parse(execFileSync('python3', ['-c', program], { encoding: 'utf8' }))).toEqual({ ...body, none: null, yes: true });
});

test('the openai package is given what it knows, the rest in extra_body', () => {
  const program = to_python('http://localhost:8080', '/v1/chat/completions', body);
  const stub = `
import sys, types, json
class Create:
    def create(self, **arguments):
        print(json.dumps(arguments))
        return []
class OpenAI:
    def __init__(self, base_url, api_key):
        self.chat = types.SimpleNamespace(completions=Create())
sys.modules["openai"] = types.SimpleNamespace(OpenAI=OpenAI)
`;
  const { extra_body, ...own } = JSON.parse(execFileSync('python3', ['-c', stub + program], { encoding: 'utf8' })) as Record<string, unknown>;
  expect(extra_body).toEqual({ top_k: 4 });
  expect(own).toEqual({ model: 'default', messages: body.messages, seed: 7, stop: ['a', 'b'], stream: true });
});
