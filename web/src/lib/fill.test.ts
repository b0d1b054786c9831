import { expect, test } from 'vitest';

import { left_context, ranked, sides } from './fill';

const token = (logprob: number | null) => ({ text: 'x', logprob, top: [] });

test('the first gap divides the text', () => {
  expect(sides('a ___ b ___')).toEqual({ left: 'a ', right: ' b ___' });
  expect(sides('a b')).toBeNull();
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
