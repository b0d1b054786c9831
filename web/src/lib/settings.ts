// What a request may say beyond its text, as one table: the settings panel, the request and the import check all read it.
import type { Body } from './api/wire';
import type { Shaping } from './samplers';

export interface NumberField {
  key: string; // of the API
  group: 'basic' | 'narrow' | 'penalty';
  min: number;
  max: number; // of the slider; larger values may be typed
  step: number;
  fallback: number; // what the server takes where neither request nor model says
}

export const number_fields = [
  { key: 'temperature', group: 'basic', min: 0, max: 2, step: 0.05, fallback: 0.8 },
  { key: 'top_k', group: 'narrow', min: 0, max: 100, step: 1, fallback: 40 },
  { key: 'typical_p', group: 'narrow', min: 0.05, max: 1, step: 0.05, fallback: 1 },
  { key: 'top_p', group: 'narrow', min: 0.05, max: 1, step: 0.05, fallback: 0.95 },
  { key: 'min_p', group: 'narrow', min: 0, max: 1, step: 0.01, fallback: 0.05 },
  { key: 'repetition_penalty', group: 'penalty', min: 0.5, max: 2, step: 0.05, fallback: 1 },
  { key: 'presence_penalty', group: 'penalty', min: -2, max: 2, step: 0.1, fallback: 0 },
  { key: 'frequency_penalty', group: 'penalty', min: -2, max: 2, step: 0.1, fallback: 0 },
  { key: 'penalty_window', group: 'penalty', min: 0, max: 512, step: 1, fallback: 0 },
  { key: 'dry_multiplier', group: 'penalty', min: 0, max: 2, step: 0.05, fallback: 0 },
  { key: 'dry_base', group: 'penalty', min: 1, max: 4, step: 0.05, fallback: 1.75 },
  { key: 'dry_allowed_length', group: 'penalty', min: 1, max: 20, step: 1, fallback: 2 },
  { key: 'dry_window', group: 'penalty', min: 0, max: 2048, step: 1, fallback: 0 },
] as const satisfies readonly NumberField[];

export type NumberKey = (typeof number_fields)[number]['key'];
export type ShapeOfAnswer = 'text' | 'json_object' | 'json_schema' | 'regex' | 'choice' | 'grammar';
export const shapes_of_answer: readonly ShapeOfAnswer[] = ['text', 'json_object', 'json_schema', 'regex', 'choice', 'grammar'];

export interface Settings {
  model: string;
  numbers: Partial<Record<NumberKey, number>>; // those not named are the model's own
  max_tokens: number;
  seed: string; // empty: another each time
  stop: string; // one text a line; \n is a line break
  logit_bias: string; // "ID=X", one a line
  shape: ShapeOfAnswer;
  shape_text: string; // the schema, pattern, grammar, or choices one a line
}

export const default_settings: Settings = {
  model: '', numbers: {}, max_tokens: 256, seed: '', stop: '', logit_bias: '', shape: 'text', shape_text: '',
};

// What is wrong with a setting, by the name of the setting.
export class SettingError extends Error {
  constructor(readonly field: 'seed' | 'logit_bias' | 'shape_text') {
    super(field);
  }
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

function biases(text: string): Record<string, number> {
  return Object.fromEntries(lines(text).map((line) => {
    const match = /^\s*(\d+)\s*=\s*(-?inf|-?\d+(?:\.\d+)?)\s*$/.exec(line);
    if (!match?.[1] || !match[2]) throw new SettingError('logit_bias');
    return [match[1], match[2] === '-inf' ? -1000 : match[2] === 'inf' ? 1000 : Number(match[2])];
  }));
}

function shape_members({ shape, shape_text }: Settings): Body {
  switch (shape) {
    case 'text': return {};
    case 'json_object': return { response_format: { type: 'json_object' } };
    case 'json_schema':
      try {
        return { response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: JSON.parse(shape_text) as unknown } } };
      } catch {
        throw new SettingError('shape_text');
      }
    case 'regex':
    case 'grammar': return { [shape]: shape_text };
    case 'choice': return { choice: lines(shape_text) };
  }
}

// The members of a request's body; SettingError where a text does not parse.
export function to_body(settings: Settings): Body {
  const body: Body = { ...(settings.model === '' ? {} : { model: settings.model }), ...settings.numbers, max_tokens: settings.max_tokens };
  if (settings.seed.trim() !== '') {
    if (!/^\d{1,15}$/.test(settings.seed.trim())) throw new SettingError('seed');
    body['seed'] = Number(settings.seed);
  }
  const stop = lines(settings.stop).map((line) => line.replace(/\\n/g, '\n').replace(/\\t/g, '\t'));
  if (stop.length > 0) body['stop'] = stop;
  if (settings.logit_bias.trim() !== '') body['logit_bias'] = biases(settings.logit_bias);
  return { ...body, ...shape_members(settings) };
}

export const value_of = (settings: Settings, key: NumberKey): number =>
  settings.numbers[key] ?? number_fields.find((field) => field.key === key)?.fallback ?? 0;

export const shaping_of = (settings: Settings): Shaping => ({
  temperature: value_of(settings, 'temperature'),
  top_k: value_of(settings, 'top_k'),
  typical_p: value_of(settings, 'typical_p'),
  top_p: value_of(settings, 'top_p'),
  min_p: value_of(settings, 'min_p'),
});
