import { expect, test } from 'vitest';

import { filled, left_context, of_masks, parts, ranked } from './fill';

const token = (logprob: number | null) => ({ text: 'x', logprob, top: [] });

test('gaps divide the text', () => {
  expect(parts('a ___ b ___')).toEqual(['a ', ' b ', '']);
  expect(parts('a b')).toEqual(['a b']);
  expect(left_context('a ')).toBe('a');
});

test('the right side can turn the order', () => {
  const candidates = [{ text: ' cat', logprob: Math.log(0.6) }, { text: ' dog', logprob: Math.log(0.3) }];
  const scored = [[token(null), token(-1), token(-6)], [token(null), token(-2), token(-5 + Math.log(3))]];
  const [first, second] = ranked(candidates, scored);
  expect(first?.text).toBe(' dog');
  expect(first?.before).toBeCloseTo(0.3, 12);
  expect(first?.after).toBeCloseTo(0.75, 12);
  expect(second?.after).toBeCloseTo(0.25, 12);
});

test('a gap takes a token in its place, and the others stay', () => {
  expect(filled('a ___ b ___', 0, ' cat')).toBe('a cat b ___');
  expect(filled('a ___ b ___', 1, 'dog')).toBe('a ___ b dog');
  expect(filled('play ___ .', 0, '##ing')).toBe('playing .');
  expect(of_masks([{ tokens: [{ token: 'cat', probability: 0.5 }] }])).toEqual([[{ text: 'cat', after: 0.5 }]]);
});
