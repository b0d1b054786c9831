// Lengths and angles in the residual stream.

export const norm = (x: readonly number[]): number => Math.hypot(...x);

export const distance = (x: readonly number[], y: readonly number[]): number => norm(x.map((value, i) => value - (y[i] ?? 0)));

export function cosine(x: readonly number[], y: readonly number[]): number {
  const dot = x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
  return dot / (norm(x) * norm(y));
}
