import { expect, test } from 'vitest';

import { shape, type Shaping } from './samplers';

const off: Shaping = { temperature: 1, top_k: 0, typical_p: 1, top_p: 1, min_p: 0 };
const chances = (...probabilities: number[]) => probabilities.map((p) => ({ text: 'x', logprob: Math.log(p) }));
const known = chances(0.5, 0.2, 0.15, 0.1, 0.05);

function expect_shaped(shaping: Partial<Shaping>, expected: number[], list = known): void {
  const got = shape(list, { ...off, ...shaping });
  expect(got.isExact).toBe(true);
  got.probabilities.forEach((p, i) => expect(p).toBeCloseTo(expected[i] ?? NaN, 12));
}

test('nothing on changes nothing', () => expect_shaped({}, [0.5, 0.2, 0.15, 0.1, 0.05]));

test('temperature divides the logits', () => {
  const squares = [0.25, 0.04, 0.0225, 0.01, 0.0025];
  const sum = squares.reduce((a, b) => a + b, 0);
  expect_shaped({ temperature: 0.5 }, squares.map((p) => p / sum));
});

test('temperature 0 takes the likeliest, whatever the others say', () => expect_shaped({ temperature: 0, top_k: 3 }, [1, 0, 0, 0, 0]));

test('top-k keeps k, and ties with the last of them', () => {
  expect_shaped({ top_k: 2 }, [5 / 7, 2 / 7, 0, 0, 0]);
  expect_shaped({ top_k: 2 }, [0.4 / 0.9, 0.25 / 0.9, 0.25 / 0.9, 0], chances(0.4, 0.25, 0.25, 0.1));
});

test('top-p keeps the smallest set that reaches the mass, at least one', () => {
  expect_shaped({ top_p: 0.69 }, [5 / 7, 2 / 7, 0, 0, 0]);
  expect_shaped({ top_p: 0.01 }, [1, 0, 0, 0, 0]);
});

test('top-p is of the mass that top-k left, before the temperature', () => {
  // top-k 3 leaves 0.85; 0.8 of it is 0.68, which two tokens reach.
  expect_shaped({ top_k: 3, top_p: 0.8, temperature: 0.5 }, [25 / 29, 4 / 29, 0, 0, 0]);
});

test('min-p is relative to the likeliest', () => expect_shaped({ min_p: 0.25 }, [0.5 / 0.85, 0.2 / 0.85, 0.15 / 0.85, 0, 0]));

test('typical-p prefers the expected surprise to the likeliest', () => {
  // H = 1.309 nats; distances |-log p - H|: 0.616, 0.300, 0.588, 0.993, 1.686.
  expect_shaped({ typical_p: 0.3 }, [0, 0.2 / 0.35, 0.15 / 0.35, 0, 0]);
});

test('what is decided among the known tokens is exact, else it says so', () => {
  const part = chances(0.5, 0.2, 0.1); // 0.2 is unknown
  expect(shape(part, { ...off, top_k: 2 }).isExact).toBe(true);
  expect(shape(part, { ...off, top_p: 0.65 }).isExact).toBe(true);
  expect(shape(part, { ...off, min_p: 0.3 }).isExact).toBe(true);
  expect(shape(part, { ...off, top_k: 10 }).isExact).toBe(false); // ten may be fewer than there are
  expect(shape(part, { ...off, top_k: 10, top_p: 0.65 }).isExact).toBe(true); // two tokens reach 0.65 of 0.8 and of 1
  expect(shape(part, { ...off, top_k: 10, top_p: 0.75 }).isExact).toBe(false); // two reach it of 0.8, three of 1
  expect(shape(part, { ...off, temperature: 2 }).isExact).toBe(false);
  expect(shape(part, { ...off, typical_p: 0.9 }).isExact).toBe(false);
  const plain = shape(part, off);
  expect(plain.isExact).toBe(true);
  expect(plain.rest).toBeCloseTo(0.2, 12);
});
