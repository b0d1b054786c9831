// What the narrowing samplers and the temperature make of a distribution, by the definitions of docs/guide/sampling.md and in its order:
// top-k, typical-p, top-p, min-p, temperature. Log-probabilities are logits up to a constant that none of the samplers sees.
//
// Of a distribution only the likeliest tokens are known, and the mass of the others. Where the samplers decide among the known ones the result is
// exact; else the others are taken to be as few as they can be, each as likely as the last known one, and `isExact` is false.
import { mass } from './probability';
import type { TokenChance } from './token';

export interface Shaping {
  temperature: number;
  top_k: number; // 0: off
  typical_p: number; // 1: off
  top_p: number; // 1: off
  min_p: number; // 0: off
}

export interface Shaped {
  probabilities: number[]; // of the known tokens, in their order; 0: removed
  rest: number; // of all others together
  isExact: boolean;
}

const kNegligible = 1e-6; // mass that is not worth calling a result inexact

interface Candidate {
  index: number; // of a known token; -1: one of the others
  logit: number;
}

function narrow(candidates: Candidate[], shaping: Shaping): Candidate[] {
  let kept = candidates; // likeliest first, and so they stay
  if (shaping.top_k > 0 && shaping.top_k < kept.length) {
    const threshold = kept[shaping.top_k - 1]?.logit ?? -Infinity;
    kept = kept.filter(({ logit }) => logit >= threshold);
  }
  if (shaping.typical_p < 1) kept = typical(kept, shaping.typical_p);
  if (shaping.top_p < 1) {
    const needed = shaping.top_p * kept.reduce((sum, { logit }) => sum + Math.exp(logit), 0);
    let reached = 0;
    kept = kept.filter(({ logit }, i) => {
      if (i > 0 && reached >= needed) return false;
      reached += Math.exp(logit);
      return true;
    });
  }
  if (shaping.min_p > 0) {
    const threshold = (kept[0]?.logit ?? 0) + Math.min(0, Math.log(shaping.min_p));
    kept = kept.filter(({ logit }) => logit >= threshold);
  }
  return kept;
}

// The tokens whose surprise is nearest to the entropy, until their mass is reached; ties with the last of them too.
function typical(candidates: Candidate[], typical_p: number): Candidate[] {
  const shift = Math.log(candidates.reduce((sum, { logit }) => sum + Math.exp(logit), 0));
  const expected = candidates.reduce((sum, { logit }) => sum - Math.exp(logit - shift) * (logit - shift), 0);
  const distance = ({ logit }: Candidate): number => Math.abs(shift - logit - expected);
  let reached = 0, threshold = 0;
  for (const candidate of [...candidates].sort((a, b) => distance(a) - distance(b))) {
    if (reached >= typical_p) break;
    reached += Math.exp(candidate.logit - shift);
    threshold = distance(candidate);
  }
  return candidates.filter((candidate) => distance(candidate) <= threshold);
}

export function shape(known: readonly TokenChance[], shaping: Shaping): Shaped {
  const probabilities = known.map(() => 0);
  if (known.length === 0) return { probabilities, rest: 1, isExact: false };
  if (shaping.temperature === 0) return { probabilities: known.map((_, i) => (i === 0 ? 1 : 0)), rest: 0, isExact: true };

  const unknown = Math.max(0, 1 - mass(known));
  const last = known[known.length - 1]?.logprob ?? 0;
  const num_others = unknown > kNegligible ? Math.min(1e5, Math.ceil(unknown / Math.exp(last))) : 0;
  const other: Candidate = { index: -1, logit: Math.log(unknown / num_others) };
  const all = known.map(({ logprob }, index): Candidate => ({ index, logit: logprob })).concat(Array<Candidate>(num_others).fill(other));

  const kept = narrow(all, shaping);
  const weights = kept.map(({ logit }) => Math.exp((logit - (kept[0]?.logit ?? 0)) / shaping.temperature));
  const sum = weights.reduce((a, b) => a + b, 0);
  let rest = 0;
  kept.forEach(({ index }, i) => {
    const probability = (weights[i] ?? 0) / sum;
    if (index < 0) rest += probability;
    else probabilities[index] = probability;
  });
  return { probabilities, rest, isExact: num_others === 0 || is_decided(known.length, all, kept, shaping) };
}

// Whether the samplers' choice does not depend on how the unknown mass is spread.
function is_decided(num_known: number, all: Candidate[], kept: Candidate[], shaping: Shaping): boolean {
  const { temperature, top_k, typical_p, top_p, min_p } = shaping;
  if (temperature === 1 && top_k === 0 && typical_p === 1 && top_p === 1 && min_p === 0) return true;
  if (kept.some(({ index }) => index < 0)) return false;
  if (top_k > 0 && top_k <= num_known) return true;
  if (typical_p < 1) return false; // looks at the entropy of all
  // A larger top-k leaves something between none and all of the others, and what top-p keeps grows with that.
  return top_k === 0 || narrow(all.slice(0, num_known), shaping).length === kept.length;
}
