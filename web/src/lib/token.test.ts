import { expect, test } from 'vitest';

import { fromChat, fromCompletion, text_of, visible } from './token';

test('a character that two tokens share is one again in their text', () => {
  const halves = [{ token: '\ufffd', logprob: -1, bytes: [0xf0, 0x9f, 0x99] }, { token: '\ufffd', logprob: -1, bytes: [0x82] }].map(fromChat);
  expect(text_of([{ text: 'a' }, ...halves])).toBe('a🙂');
});

test('bytes are kept only where the text does not say them', () => {
  const token = fromChat({ token: 'é', logprob: -1, bytes: [0xc3, 0xa9], top_logprobs: [{ token: 'é', logprob: -1, bytes: [0xc3, 0xa9] }] });
  expect(token).toEqual({ text: 'é', logprob: -1, top: [{ text: 'é', logprob: -1 }] });
});

test('the older shape gives the same tokens, likeliest alternatives first', () => {
  const tokens = fromCompletion({ tokens: ['a', 'b'], token_logprobs: [null, -1], top_logprobs: [null, { c: -2, b: -1 }], text_offset: [0, 1] });
  expect(tokens).toEqual([{ text: 'a', logprob: null, top: [] }, { text: 'b', logprob: -1, top: [{ text: 'b', logprob: -1 }, { text: 'c', logprob: -2 }] }]);
});

test('white space can be seen', () => expect(visible(' a\n')).toBe('␣a↵'));
