import { expect, test } from 'vitest';

import type { Message } from './conversation';
import { answer_request } from './request';
import { default_settings } from './settings';

const before: Message[] = [{ id: '1', parent: null, role: 'user', text: 'Hi', reasoning: '', answer: null }];
const set = { id: 's', name: 's', examples: [{ input: 'a', output: 'b' }] };

test('system, examples, conversation, in this order', () => {
  const { endpoint, body } = answer_request({ kind: 'chat', system: 'Be brief.' }, before, '', default_settings, set);
  expect(endpoint).toBe('/v1/chat/completions');
  expect((body['messages'] as { role: string }[]).map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
  expect(body).not.toHaveProperty('continue_final_message');
});

test('a branch of a chat goes on with its last message', () => {
  const { body } = answer_request({ kind: 'chat', system: ' ' }, before, 'Bonj', default_settings);
  expect(body['messages']).toEqual([{ role: 'user', content: 'Hi' }, { role: 'assistant', content: 'Bonj' }]);
  expect(body['continue_final_message']).toBe(true);
});

test('a branch of a completion is more prompt', () => {
  expect(answer_request({ kind: 'completion', system: '' }, before, ' there', default_settings).body['prompt']).toBe('Hi there');
});
