// How the page looks and speaks, and what of tokens it shows.
import { languages, type Language } from '../lib/i18n/languages';
import { Persisted } from './persisted.svelte';

export type Theme = 'light' | 'dark';
export type ViewName = 'chat' | 'completion' | 'fill' | 'compare' | 'tokenizer' | 'inside';
export const view_names: readonly ViewName[] = ['chat', 'completion', 'fill', 'compare', 'tokenizer', 'inside'];

const preferred_language = (): Language => languages.find((language) => navigator.language.startsWith(language)) ?? 'en';
const preferred_theme = (): Theme => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
const one_of = (list: readonly string[]) => (value: unknown): boolean => typeof value === 'string' && list.includes(value);

class Preferences {
  readonly language = new Persisted<Language>('atelier.language', preferred_language(), one_of(languages));
  readonly theme = new Persisted<Theme>('atelier.theme', preferred_theme(), one_of(['light', 'dark']));
  readonly view = new Persisted<ViewName>('atelier.view', 'chat', one_of(view_names));
  readonly shows_tokens = new Persisted('atelier.tokens', true);
  readonly shows_numbers = new Persisted('atelier.numbers', false);
  readonly num_shown = new Persisted('atelier.shown', 5); // alternatives in the list and in the total line

  constructor() {
    $effect.root(() => {
      $effect(() => {
        document.documentElement.lang = this.language.value;
        document.documentElement.dataset['theme'] = this.theme.value;
      });
    });
  }
}

export const preferences = new Preferences();
