// The server's documented endpoints. Same origin; a key is sent where one is set.
import { fromChat, fromCompletion, type Token } from '../token';
import { SseParser } from './sse';
import type { Body, ChatChunk, CompletionChunk, Inspection, WireMask, WireMessage, WireModel, WirePiece, WireUsage } from './wire';

export class ApiError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

// What becomes known of an answer while it is written.
export interface Delta {
  text: string;
  reasoning: string;
  tokens: Token[];
  finish: string | null;
  usage: WireUsage | null;
}

let api_key = '';
export const set_api_key = (key: string): void => {
  api_key = key.trim();
};

async function request(path: string, body?: Body, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = api_key === '' ? {} : { Authorization: `Bearer ${api_key}` };
  if (body) headers['Content-Type'] = 'application/json';
  const response = await fetch(path, {
    method: body ? 'POST' : 'GET', headers, ...(body ? { body: JSON.stringify(body) } : {}), ...(signal ? { signal } : {}),
  });
  if (response.ok) return response;
  const answer = (await response.json().catch(() => null)) as { error?: { message?: string } } | null;
  throw new ApiError(response.status, answer?.error?.message ?? `${path}: ${response.status} ${response.statusText}`);
}

const post = async <T>(path: string, body: Body, signal?: AbortSignal): Promise<T> => (await (await request(path, body, signal)).json()) as T;

export const models = async (): Promise<WireModel[]> => ((await (await request('/v1/models')).json()) as { data: WireModel[] }).data;

function chat_delta({ choices: [choice], usage }: ChatChunk): Delta {
  return {
    text: choice?.delta.content ?? '', reasoning: choice?.delta.reasoning_content ?? '',
    tokens: (choice?.logprobs?.content ?? []).map(fromChat), finish: choice?.finish_reason ?? null, usage: usage ?? null,
  };
}

function completion_delta({ choices: [choice], usage }: CompletionChunk): Delta {
  return {
    text: choice?.text ?? '', reasoning: '', tokens: choice?.logprobs ? fromCompletion(choice.logprobs) : [],
    finish: choice?.finish_reason ?? null, usage: usage ?? null,
  };
}

// The deltas of a streamed answer. A stream that ends without [DONE] was cut: an error.
export async function* stream(endpoint: string, body: Body, signal: AbortSignal): AsyncGenerator<Delta> {
  const response = await request(endpoint, body, signal);
  if (!response.body) throw new ApiError(response.status, `${endpoint}: no body`);
  const parser = new SseParser();
  const reader = response.body.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new ApiError(0, `${endpoint}: the stream was cut`);
    for (const data of parser.push(value)) {
      if (data === '[DONE]') return;
      const event = JSON.parse(data) as { error?: { message: string } };
      if (event.error) throw new ApiError(response.status, event.error.message);
      yield endpoint === '/v1/chat/completions' ? chat_delta(event as ChatChunk) : completion_delta(event as CompletionChunk);
    }
  }
}

// The tokens of texts or of ids with their probabilities, nothing generated: one list for each prompt.
export async function score(model: string, prompt: string[] | number[], num_top: number, signal?: AbortSignal): Promise<Token[][]> {
  const body: Body = { model, prompt, echo: true, max_tokens: 0, logprobs: num_top, temperature: 0 };
  const { choices } = await post<CompletionChunk>('/v1/completions', body, signal);
  return choices.sort((a, b) => a.index - b.index).map(({ logprobs }) => (logprobs ? fromCompletion(logprobs) : []));
}

// The likeliest tokens after a text.
export async function next_tokens(model: string, prompt: string, num_top: number, signal?: AbortSignal): Promise<Token['top']> {
  const { choices } = await post<CompletionChunk>('/v1/completions', { model, prompt, max_tokens: 1, logprobs: num_top, temperature: 0 }, signal);
  const [choice] = choices;
  return choice?.logprobs ? (fromCompletion(choice.logprobs)[0]?.top ?? []) : [];
}

// The likeliest tokens of each <mask> of a text, by an encoder.
export const fill_masks = async (model: string, text: string, top: number): Promise<WireMask[]> =>
  (await post<{ masks: WireMask[] }>('/v1/fill', { model, text, top })).masks;

export const tokenize = async (model: string, content: string, parse_special: boolean): Promise<WirePiece[]> =>
  (await post<{ tokens: WirePiece[] }>('/tokenize', { model, content, add_special: !parse_special, parse_special, with_pieces: true })).tokens;

export const detokenize = async (model: string, tokens: number[]): Promise<string> =>
  (await post<{ content: string }>('/detokenize', { model, tokens })).content;

export const apply_template = async (model: string, messages: WireMessage[]): Promise<string> =>
  (await post<{ prompt: string }>('/apply-template', { model, messages })).prompt;

export interface InspectRequest {
  what: 'attention' | 'residual' | 'lens';
  layers?: number[];
  heads?: number[];
  positions?: number[];
  top?: number;
}

export const inspect = (model: string, prompt: string, what: InspectRequest, signal?: AbortSignal): Promise<Inspection> =>
  post<Inspection>('/v1/inspect', { model, prompt, ...what }, signal);

// Samples of GET /metrics by name (Prometheus text format), those with labels added up; empty where the server tells none.
export async function metrics(): Promise<Map<string, number>> {
  const text = await request('/metrics').then((response) => response.text(), () => '');
  const samples = new Map<string, number>();
  for (const [, name, value] of text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{[^}]*\})? (\S+)/gm)) {
    if (name) samples.set(name, (samples.get(name) ?? 0) + Number(value));
  }
  return samples;
}
