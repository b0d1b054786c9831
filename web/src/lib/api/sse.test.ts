import { expect, test } from 'vitest';

import { SseParser } from './sse';

const stream = ': ping\r\n\r\ndata: {"a":"é"}\n\ndata:one\ndata: two\n\nevent: x\ndata: [DONE]\n\n';
const events = ['{"a":"é"}', 'one\ntwo', '[DONE]'];

test('events come out the same however the bytes are cut', () => {
  const bytes = new TextEncoder().encode(stream);
  for (let size = 1; size <= bytes.length; ++size) {
    const parser = new SseParser();
    const got: string[] = [];
    for (let at = 0; at < bytes.length; at += size) got.push(...parser.push(bytes.subarray(at, at + size)));
    expect(got, `chunks of ${size} bytes`).toEqual(events);
  }
});

test('an event without its empty line is not told', () => {
  expect(new SseParser().push(new TextEncoder().encode('data: cut'))).toEqual([]);
});

test('a carriage return alone ends a line', () => {
  expect(new SseParser().push(new TextEncoder().encode('data: a\rdata: b\r\rdata: c\n\n'))).toEqual(['a\nb', 'c']);
});
