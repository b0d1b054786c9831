// Filling the gaps of a text.
//
// A model that was trained with masks says what stands in each of them. One that reads from left to right fills the first: the likeliest tokens
// after the text on the left are candidates; each is then judged by the probability of the whole text that it makes, so that the right side
// has its say. Among the candidates
//
//   p(candidate | left, right) = p(left, candidate, right) / sum over candidates
import { softmax } from './probability';
import type { WireMask } from './api/wire';
import type { Token, TokenChance } from './token';

export const kMask = '___';

export interface Filling {
  text: string;
  before?: number; // probability after the left side alone
  after: number; // with both sides; of a model that reads from left to right, among the candidates
}

// What stands before, between and behind the gaps.
export const parts = (text: string): string[] => text.split(kMask);

// Tokens carry the blank before a word: a gap after a blank is filled behind the text without it.
export const left_context = (left: string): string => left.replace(/ $/, '');

export function ranked(candidates: readonly TokenChance[], scored: readonly Token[][]): Filling[] {
  const sums = scored.map((tokens) => tokens.reduce((sum, { logprob }) => sum + (logprob ?? 0), 0));
  const after = softmax(sums);
  return candidates
    .map(({ text, logprob }, i): Filling => ({ text, before: Math.exp(logprob), after: after[i] ?? 0 }))
    .sort((a, b) => b.after - a.after);
}

export const of_masks = (masks: readonly WireMask[]): Filling[][] =>
  masks.map(({ tokens }) => tokens.map(({ token, probability }) => ({ text: token, after: probability })));

// The text with gap `gap` filled. A piece of a word joins what stands before it; a token's own blank takes the place of the text's.
export function filled(text: string, gap: number, token: string): string {
  const sides = parts(text);
  const left = sides.slice(0, gap + 1).join(kMask);
  const right = sides.slice(gap + 1).join(kMask);
  if (token.startsWith('##')) return left.trimEnd() + token.slice(2) + right;
  return (token.startsWith(' ') ? left_context(left) : left) + token + right;
}
