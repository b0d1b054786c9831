// What a tokenizer made of a text: each token with its bytes' place in it.
import type { WirePiece } from './api/wire';

export interface Piece {
  id: number;
  text: string;
  start: number; // byte offsets in the UTF-8 text
  end: number;
  is_partial: boolean; // bytes that are no whole characters
}

export function located(pieces: readonly WirePiece[]): Piece[] {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let at = 0;
  return pieces.map(({ id, piece }) => {
    const bytes = typeof piece === 'string' ? encoder.encode(piece) : Uint8Array.from(piece);
    const start = at;
    at += bytes.length;
    return { id, text: typeof piece === 'string' ? piece : decoder.decode(bytes), start, end: at, is_partial: typeof piece !== 'string' };
  });
}
