// A conversation is a tree of messages; what is shown is the path from its root to `leaf`. Answering again, editing and branching from a token
// add siblings and lose nothing. Values are never changed: every function gives a new conversation.
import type { Body, WireUsage } from './api/wire';
import { new_id } from './id';
import type { Token, TokenChance } from './token';

export type Kind = 'chat' | 'completion';

// How an answer came about.
export interface Answer {
  request: Body; // of the API, as it was sent
  endpoint: string;
  tokens: Token[];
  num_given: number; // the first tokens that were not generated: what a branch begins with
  finish: string | null; // null: not finished
  error: string | null;
  usage: WireUsage | null;
  first_token_s: number | null;
  total_s: number | null;
}

export interface Message {
  id: string;
  parent: string | null;
  role: 'user' | 'assistant';
  text: string;
  reasoning: string;
  answer: Answer | null;
}

export interface Conversation {
  id: string;
  kind: Kind;
  title: string;
  system: string;
  examples: string | null; // a set of few-shot examples, by its id
  messages: Record<string, Message>; // in order of creation
  leaf: string | null;
  changed_ms: number;
}

export const new_conversation = (kind: Kind): Conversation => ({
  id: new_id(), kind, title: '', system: '', examples: null, messages: {}, leaf: null, changed_ms: Date.now(),
});

export function path(conversation: Conversation, leaf = conversation.leaf): Message[] {
  const messages: Message[] = [];
  for (let id = leaf; id !== null; ) {
    const message: Message | undefined = conversation.messages[id];
    if (!message) break;
    messages.push(message);
    id = message.parent;
  }
  return messages.reverse();
}

export const siblings = (conversation: Conversation, message: Message): Message[] =>
  Object.values(conversation.messages).filter(({ parent, role }) => parent === message.parent && role === message.role);

// Adds a message after `parent` and shows it.
export function add(conversation: Conversation, message: Omit<Message, 'id'>): { conversation: Conversation; id: string } {
  const id = new_id();
  const title = conversation.title || message.text.trim().split('\n')[0]?.slice(0, 60) || '';
  const messages = { ...conversation.messages, [id]: { ...message, id } };
  return { conversation: { ...conversation, title, messages, leaf: id, changed_ms: Date.now() }, id };
}

export function update(conversation: Conversation, id: string, change: (message: Message) => Message): Conversation {
  const message = conversation.messages[id];
  if (!message) return conversation;
  return { ...conversation, messages: { ...conversation.messages, [id]: change(message) }, changed_ms: Date.now() };
}

// Shows the branch through `id`, down to its latest leaf.
export function show(conversation: Conversation, id: string): Conversation {
  let leaf = id;
  for (;;) {
    const child = Object.values(conversation.messages).findLast(({ parent }) => parent === leaf);
    if (!child) return { ...conversation, leaf };
    leaf = child.id;
  }
}

// What a branch begins with: the tokens before `index`, then another one in its place.
export const branch_tokens = (tokens: readonly Token[], index: number, alternative: TokenChance): Token[] =>
  [...tokens.slice(0, index), { ...alternative, top: tokens[index]?.top ?? [] }];

// Checks what a file holds before it is kept: the parts that the page relies on.
export function parse_conversation(value: unknown): Conversation | null {
  const candidate = value as Partial<Conversation> | null;
  if (typeof candidate !== 'object' || candidate === null || (candidate.kind !== 'chat' && candidate.kind !== 'completion')) return null;
  const messages = candidate.messages;
  if (typeof messages !== 'object' || messages === null) return null;
  const is_message = (message: Partial<Message> | null): boolean =>
    typeof message === 'object' && message !== null && typeof message.id === 'string' && typeof message.text === 'string' &&
    (message.role === 'user' || message.role === 'assistant') &&
    (message.parent === null || (typeof message.parent === 'string' && message.parent in messages)) &&
    (!message.answer || Array.isArray(message.answer.tokens));
  if (!Object.values(messages).every(is_message)) return null;
  const leaf = typeof candidate.leaf === 'string' && candidate.leaf in messages ? candidate.leaf : null;
  return { ...new_conversation(candidate.kind), ...candidate, id: new_id(), messages, leaf };
}
