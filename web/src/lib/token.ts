// Tokens with their probabilities, in one shape for every endpoint.
import type { CompletionLogprobs, WireToken } from './api/wire';

export interface TokenChance {
  text: string;
  bytes?: number[]; // where the text does not say them: parts of characters
  logprob: number; // natural logarithm
}

// A token that was chosen or given, and the likeliest that could have stood there, likeliest first. `logprob` is null for the first token of
// a prompt, before which nothing stands.
export interface Token {
  text: string;
  bytes?: number[];
  logprob: number | null;
  top: TokenChance[];
}

const encoder = new TextEncoder();

function chance({ token, bytes, logprob }: WireToken): TokenChance {
  const own = encoder.encode(token);
  const is_said = !bytes || (bytes.length === own.length && bytes.every((byte, i) => byte === own[i]));
  return { text: token, logprob, ...(is_said ? {} : { bytes }) };
}

export const fromChat = (token: WireToken): Token => ({ ...chance(token), top: (token.top_logprobs ?? []).map(chance) });

// The text of tokens in a row: characters that several of them share are put together.
export function text_of(tokens: readonly Pick<Token, 'text' | 'bytes'>[]): string {
  const bytes = tokens.flatMap((token) => token.bytes ?? Array.from(encoder.encode(token.text)));
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

export function fromCompletion(logprobs: CompletionLogprobs): Token[] {
  return logprobs.tokens.map((text, i) => {
    const top = Object.entries(logprobs.top_logprobs?.[i] ?? {}).map(([token, logprob]) => ({ text: token, logprob }));
    return { text, logprob: logprobs.token_logprobs[i] ?? null, top: top.sort((a, b) => b.logprob - a.logprob) };
  });
}

// White space made visible, for where a token stands alone.
export const visible = (text: string): string =>
  text === '' ? '∅' : text.replace(/ /g, '␣').replace(/\n/g, '↵').replace(/\t/g, '⇥').replace(/\r/g, '␍');
