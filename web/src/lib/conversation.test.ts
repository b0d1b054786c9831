import { expect, test } from 'vitest';

import { add, branch_tokens, new_conversation, parse_conversation, path, show, siblings, update, type Message } from './conversation';
import { text_of, type Token } from './token';

const message = (role: Message['role'], text: string, parent: string | null): Omit<Message, 'id'> => ({ role, text, parent, reasoning: '', answer: null });
const texts = (messages: Message[]) => messages.map(({ text }) => text);

function two_answers() {
  const question = add(new_conversation('chat'), message('user', 'Hello\nthere', null));
  const first = add(question.conversation, message('assistant', 'one', question.id));
  const second = add(first.conversation, message('assistant', 'two', question.id));
  return { question, first, second };
}

test('the path leads from the root to what was added last', () => {
  const { second } = two_answers();
  expect(texts(path(second.conversation))).toEqual(['Hello\nthere', 'two']);
  expect(second.conversation.title).toBe('Hello');
});

test('another answer is a sibling, and the first can be shown again with what followed it', () => {
  const { first, second } = two_answers();
  const follow = add(show(second.conversation, first.id), message('user', 'more', first.id));
  const other = show(follow.conversation, second.id);
  expect(texts(path(other))).toEqual(['Hello\nthere', 'two']);
  expect(texts(path(show(other, first.id)))).toEqual(['Hello\nthere', 'one', 'more']);
  const [answer] = path(other).slice(-1);
  expect(answer && texts(siblings(other, answer))).toEqual(['one', 'two']);
});

test('nothing that was is changed', () => {
  const { first } = two_answers();
  const before = structuredClone(first.conversation);
  update(first.conversation, first.id, (old) => ({ ...old, text: 'changed' }));
  expect(first.conversation).toEqual(before);
});

test('a branch keeps the tokens before and takes the alternative with its probability', () => {
  const token = (text: string): Token => ({ text, logprob: -1, top: [{ text, logprob: -1 }, { text: ' other', logprob: -2 }] });
  const branch = branch_tokens([token('a'), token(' b'), token(' c')], 1, { text: ' other', logprob: -2 });
  expect(text_of(branch)).toBe('a other');
  expect(branch[1]?.logprob).toBe(-2);
});

test('a conversation survives a file; what is none does not', () => {
  const { second } = two_answers();
  const read = parse_conversation(JSON.parse(JSON.stringify(second.conversation)));
  expect(read && texts(path(read))).toEqual(['Hello\nthere', 'two']);
  expect(read?.id).not.toBe(second.conversation.id);
  for (const bad of [null, 3, {}, { kind: 'chat' }, { kind: 'chat', messages: { a: { id: 'a', text: 'x', role: 'user', parent: 'gone' } } }]) {
    expect(parse_conversation(bad)).toBeNull();
  }
});
