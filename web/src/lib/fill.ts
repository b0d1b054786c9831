// Filling a gap with a model that reads from left to right: the likeliest tokens after the text on the left are candidates; each is then judged
// by the probability of the whole text that it makes, so that the right side has its say. Among the candidates
//
//   p(candidate | left, right) = p(left, candidate, right) / sum over candidates
import { softmax } from './probability';
import type { Token, TokenChance } from './token';

export const kMask = '___';

export interface Filling {
  text: string;
  before: number; // probability after the left side alone
  after: number; // among the candidates, with both sides
}

// The two sides of the first gap; null without one.
export function sides(text: string): { left: string; right: string } | null {
  const at = text.indexOf(kMask);
  return at < 0 ? null : { left: text.slice(0, at), right: text.slice(at + kMask.length) };
}

// Tokens carry the blank before a word: a gap after a blank is filled behind the text without it.
export const left_context = (left: string): string => left.replace(/ $/, '');

export function ranked(candidates: readonly TokenChance[], scored: readonly Token[][]): Filling[] {
  const sums = scored.map((tokens) => tokens.reduce((sum, { logprob }) => sum + (logprob ?? 0), 0));
  const after = softmax(sums);
  return candidates
    .map(({ text, logprob }, i): Filling => ({ text, before: Math.exp(logprob), after: after[i] ?? 0 }))
    .sort((a, b) => b.after - a.after);
}
