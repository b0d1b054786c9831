// The arithmetic of log-probabilities: what is shown of one token, of a selection, of a text.
import type { Token, TokenChance } from './token';

export interface Total {
  tokens: number; // those that have a probability
  logprob: number; // sum
  covered: number; // mean over the tokens of the mass of their `shown` likeliest, 0 to 1
  perplexity: number; // exp of the mean surprise; NaN without tokens
}

export const mass = (chances: readonly TokenChance[]): number => chances.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0);

export function total(tokens: readonly Token[], shown: number): Total {
  let count = 0, logprob = 0, covered = 0;
  for (const token of tokens) {
    if (token.logprob === null) continue;
    ++count;
    logprob += token.logprob;
    covered += mass(token.top.slice(0, shown));
  }
  return { tokens: count, logprob, covered: count > 0 ? covered / count : 0, perplexity: Math.exp(-logprob / count) };
}

// How surprising a token is, 0 (certain) to 1 (ten bits or more): the scale of the token view's colours.
export function surprise(logprob: number | null): number {
  return logprob === null ? 0 : Math.min(1, Math.max(0, -logprob / Math.LN2 / 10));
}

// Entropy in bits of a distribution whose probabilities sum to 1.
export function entropy(probabilities: readonly number[]): number {
  return probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log2(p) : sum), 0);
}

export function softmax(scores: readonly number[]): number[] {
  const max = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - max));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}
