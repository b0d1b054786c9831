import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { default_settings, number_fields, SettingError, to_body, type Settings } from './settings';

const body = (changes: Partial<Settings>) => to_body({ ...default_settings, ...changes });

test('what is not set is left to the model', () => expect(body({})).toEqual({ max_tokens: 256 }));

test('numbers, seed, stop texts and biases are said in the API\'s words', () => {
  expect(body({ model: 'm', numbers: { temperature: 0, top_k: 5 }, seed: ' 7 ', stop: '\\n\\n\nEND\n', logit_bias: '5=-inf\n 6 = 1.5' })).toEqual({
    model: 'm', temperature: 0, top_k: 5, max_tokens: 256, seed: 7, stop: ['\n\n', 'END'], logit_bias: { '5': -1000, '6': 1.5 },
  });
});

test('every sampler of the server can be set', () => {
  const openapi = JSON.parse(readFileSync(new URL('../../../atelier/serve/openapi.json', import.meta.url), 'utf8')) as {
    components: { schemas: { Sampling: { properties: Record<string, { type?: string }> } } };
  };
  const numbers = Object.entries(openapi.components.schemas.Sampling.properties).filter(([, { type }]) => type === 'number' || type === 'integer');
  const elsewhere = ['seed', 'max_tokens', 'max_completion_tokens'];
  expect(number_fields.map(({ key }) => key as string).sort()).toEqual(numbers.map(([name]) => name).filter((name) => !elsewhere.includes(name)).sort());
});

test('an answer has one shape', () => {
  expect(body({ shape: 'json_schema', shape_text: '{"type":"object"}' })['response_format']).toEqual({
    type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: { type: 'object' } },
  });
  expect(body({ shape: 'choice', shape_text: 'yes\nno' })['choice']).toEqual(['yes', 'no']);
  expect(body({ shape: 'regex', shape_text: '\\d+' })['regex']).toBe('\\d+');
});

test.each([
  ['seed', { seed: 'x' }],
  ['logit_bias', { logit_bias: 'a=1' }],
  ['shape_text', { shape: 'json_schema', shape_text: '{' }],
] as [string, Partial<Settings>][])('%s that does not parse is named', (field, changes) => {
  expect(() => body(changes)).toThrow(new SettingError(field as SettingError['field']));
});
