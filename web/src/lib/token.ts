// Tokens with their probabilities, in one shape for every endpoint.
import type { CompletionLogprobs, WireToken } from './api/wire';

export interface TokenChance {
  text: string;
  logprob: number; // natural logarithm
}

// A token that was chosen or given, and the likeliest that could have stood there, likeliest first. `logprob` is null for the first token of
// a prompt, before which nothing stands.
export interface Token {
  text: string;
  logprob: number | null;
  top: TokenChance[];
}

export const fromChat = (token: WireToken): Token => ({
  text: token.token,
  logprob: token.logprob,
  top: (token.top_logprobs ?? []).map(({ token: text, logprob }) => ({ text, logprob })),
});

export function fromCompletion(logprobs: CompletionLogprobs): Token[] {
  return logprobs.tokens.map((text, i) => {
    const top = Object.entries(logprobs.top_logprobs?.[i] ?? {}).map(([token, logprob]) => ({ text: token, logprob }));
    return { text, logprob: logprobs.token_logprobs[i] ?? null, top: top.sort((a, b) => b.logprob - a.logprob) };
  });
}

// White space made visible, for where a token stands alone.
export const visible = (text: string): string =>
  text === '' ? '∅' : text.replace(/ /g, '␣').replace(/\n/g, '↵').replace(/\t/g, '⇥').replace(/\r/g, '␍');
