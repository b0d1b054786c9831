import { expect, test } from 'vitest';

import { entropy, softmax, surprise, total } from './probability';
import type { Token } from './token';

const token = (probability: number | null, ...top: number[]): Token => ({
  text: 'x',
  logprob: probability === null ? null : Math.log(probability),
  top: top.map((p) => ({ text: 'x', logprob: Math.log(p) })),
});

test('the total of one token is its logprob and the mass of what is shown', () => {
  const got = total([token(0.86, 0.86, 0.06, 0.03, 0.02, 0.01, 0.009)], 5);
  expect(got.tokens).toBe(1);
  expect(got.logprob).toBeCloseTo(Math.log(0.86), 12);
  expect(got.covered).toBeCloseTo(0.98, 12);
  expect(got.perplexity).toBeCloseTo(1 / 0.86, 12);
});

test('a selection adds logprobs and averages coverage; a first token has neither', () => {
  const got = total([token(null), token(0.5, 0.5, 0.4), token(0.25, 0.6, 0.25)], 2);
  expect(got.tokens).toBe(2);
  expect(got.logprob).toBeCloseTo(Math.log(0.125), 12);
  expect(got.covered).toBeCloseTo(0.875, 12);
  expect(got.perplexity).toBeCloseTo(Math.sqrt(8), 12);
});

test('no tokens have no perplexity', () => expect(total([], 5).perplexity).toBeNaN());

test('surprise is bits over ten, within 0 and 1', () => {
  expect(surprise(0)).toBe(0);
  expect(surprise(Math.log(1 / 32))).toBeCloseTo(0.5, 12);
  expect(surprise(-100)).toBe(1);
  expect(surprise(null)).toBe(0);
});

test('entropy of a fair coin is one bit', () => expect(entropy([0.5, 0.5, 0])).toBe(1));

test('softmax of large scores does not overflow', () => {
  const [a, b] = softmax([1000, 1000 + Math.log(3)]);
  expect(a).toBeCloseTo(0.25, 12);
  expect(b).toBeCloseTo(0.75, 12);
});
