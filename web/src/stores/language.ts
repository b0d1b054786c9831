// The page's words and numbers in the chosen language.
import { dictionaries, fill, locales, type Word } from '../lib/i18n/languages';
import { preferences } from './preferences.svelte';

export const t = (word: Word, values: Record<string, string | number> = {}): string => fill(dictionaries[preferences.language.value][word], values);

export const number = (value: number, digits = 0): string =>
  Number.isFinite(value) ? value.toLocaleString(locales[preferences.language.value], { minimumFractionDigits: digits, maximumFractionDigits: digits }) : '–';

export const percent = (share: number, digits = 1): string =>
  share.toLocaleString(locales[preferences.language.value], { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits });

export const bytes = (value: number): string => {
  const units = [t('unit_mib'), t('unit_gib')];
  const mib = value / 2 ** 20;
  return mib < 1024 ? `${number(mib)} ${units[0]}` : `${number(mib / 1024, 1)} ${units[1]}`;
};
