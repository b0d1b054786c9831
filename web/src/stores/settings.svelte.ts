// Two sets of settings: `a` is everybody's, `b` the other side of a comparison.
import { default_settings, type Settings } from '../lib/settings';
import { Persisted } from './persisted.svelte';

const is_settings = (value: unknown): boolean => typeof value === 'object' && Object.keys(default_settings).every((key) => key in (value as object));

export const settings = {
  a: new Persisted<Settings>('atelier.settings.a', { ...default_settings }, is_settings),
  b: new Persisted<Settings>('atelier.settings.b', { ...default_settings, numbers: { temperature: 0 } }, is_settings),
};
