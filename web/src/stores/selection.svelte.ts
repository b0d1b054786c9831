// The tokens that are looked at: one, or a span, of one text.
import type { Token, TokenChance } from '../lib/token';

export interface Source {
  id: string; // of the text that the tokens are of
  tokens: readonly Token[];
  branch: ((index: number, alternative: TokenChance) => void) | null; // goes on from another token
}

class Selection {
  source = $state.raw<Source | null>(null);
  anchor = $state(0);
  focus = $state(0);

  get first(): number {
    return Math.min(this.anchor, this.focus);
  }
  get last(): number {
    return Math.max(this.anchor, this.focus);
  }
  get tokens(): readonly Token[] {
    return this.source?.tokens.slice(this.first, this.last + 1) ?? [];
  }

  select(source: Source, index: number, extends_selection = false): void {
    if (!extends_selection || this.source?.id !== source.id) this.anchor = index;
    this.focus = index;
    this.source = source;
  }
  clear(): void {
    this.source = null;
  }
  has(id: string, index: number): boolean {
    return this.source?.id === id && index >= this.first && index <= this.last;
  }
}

export const selection = new Selection();
