import { expect, test } from 'vitest';

import { located } from './pieces';

test('offsets are of bytes, and a character cut in two keeps them', () => {
  expect(located([{ id: 1, piece: 'é' }, { id: 2, piece: [0xe2, 0x82] }, { id: 3, piece: [0xac] }]).map(({ start, end }) => [start, end])).toEqual([
    [0, 2], [2, 4], [4, 5],
  ]);
});
