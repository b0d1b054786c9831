// The API's requests and answers, as GET /openapi.json describes them; only the members that the playground reads or writes.

export type Role = 'system' | 'user' | 'assistant';

export interface WireMessage {
  role: Role;
  content: string;
}

// A request's body: members beyond those that are named are the samplers' (lib/settings.ts).
export type Body = Record<string, unknown>;

export interface WireModel {
  id: string;
  context_length?: number;
  tasks?: string[]; // not told while the model is not loaded
}

export interface WireToken {
  token: string;
  logprob: number;
  bytes?: number[] | null;
  top_logprobs?: WireToken[];
}

export interface WireUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details?: { cached_tokens?: number };
}

export interface ChatChunk {
  choices: {
    delta: { content?: string; reasoning_content?: string };
    logprobs?: { content?: WireToken[] | null } | null;
    finish_reason: string | null;
  }[];
  usage?: WireUsage | null;
}

// The older shape of /v1/completions: parallel lists, one entry a token; null before the first token of an echoed prompt.
export interface CompletionLogprobs {
  tokens: string[];
  token_logprobs: (number | null)[];
  top_logprobs: (Record<string, number> | null)[] | null;
  text_offset: number[];
}

export interface CompletionChunk {
  choices: { index: number; text: string; logprobs?: CompletionLogprobs | null; finish_reason: string | null }[];
  usage?: WireUsage | null;
}

export interface WirePiece {
  id: number;
  piece: string | number[]; // bytes where the piece alone is not valid UTF-8
}

// The tokens of one mask, likeliest first.
export interface WireMask {
  tokens: { token: string; probability: number }[];
}

export interface LensToken {
  id: number;
  token?: string;
  logprob: number;
}

export interface Inspection {
  ids: number[];
  tokens?: string[];
  positions: number[];
  attention?: { layers: number[]; heads: number[]; values: number[][][][] }; // [layer][head][position][token]
  residual?: { states: number[]; values: number[][][] }; // [state][position][channel]
  lens?: { states: number[]; values: { top: LensToken[]; next?: LensToken }[][] }; // [state][position]
}
