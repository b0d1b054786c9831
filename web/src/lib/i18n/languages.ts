// The languages of the page. A dictionary that lacks a word does not compile.
import { en } from './en';
import { fr } from './fr';

export type Word = keyof typeof en;
export type Dictionary = Record<Word, string>;
export type Language = 'en' | 'fr';

export const languages: readonly Language[] = ['en', 'fr'];
export const dictionaries: Record<Language, Dictionary> = { en, fr };
export const language_names: Record<Language, string> = { en: 'English', fr: 'Français' };
// Numbers: in English as the total line of other playgrounds has them.
export const locales: Record<Language, string> = { en: 'en-US', fr: 'fr-FR' };

export const fill = (text: string, values: Readonly<Record<string, string | number>>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
