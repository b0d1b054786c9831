// From a conversation and settings to the body of a request.
import type { Body, WireMessage } from './api/wire';
import type { Conversation, Message } from './conversation';
import { example_messages, example_text, type ExampleSet } from './library';
import { to_body, type Settings } from './settings';

export const kTop = 20; // alternatives asked for with each token: the most that OpenAI's API gives

export interface Request {
  endpoint: '/v1/chat/completions' | '/v1/completions';
  body: Body;
}

export function chat_messages(conversation: Pick<Conversation, 'system'>, before: readonly Message[], examples: ExampleSet | undefined): WireMessage[] {
  const system: WireMessage[] = conversation.system.trim() === '' ? [] : [{ role: 'system', content: conversation.system }];
  return [...system, ...example_messages(examples), ...before.map(({ role, text }): WireMessage => ({ role, content: text }))];
}

export const completion_prompt = (before: readonly Message[], examples: ExampleSet | undefined): string =>
  example_text(examples) + before.map(({ text }) => text).join('');

// The request for an answer after the messages `before`; `prefix` is how the answer begins.
export function answer_request(conversation: Pick<Conversation, 'kind' | 'system'>, before: readonly Message[], prefix: string,
                               settings: Settings, examples?: ExampleSet): Request {
  const stream: Body = { stream: true, stream_options: { include_usage: true } };
  if (conversation.kind === 'completion') {
    const prompt = completion_prompt(before, examples) + prefix;
    return { endpoint: '/v1/completions', body: { ...to_body(settings), prompt, logprobs: kTop, ...stream } };
  }
  const messages = chat_messages(conversation, before, examples);
  const is_continued = prefix !== '';
  if (is_continued) messages.push({ role: 'assistant', content: prefix });
  const continued: Body = is_continued ? { continue_final_message: true } : {};
  return { endpoint: '/v1/chat/completions', body: { ...to_body(settings), messages, ...continued, logprobs: true, top_logprobs: kTop, ...stream } };
}
