// Saved prompts with {{variables}}, and sets of few-shot examples. Both are kept apart from the texts that use them.
import type { WireMessage } from './api/wire';

export interface SavedPrompt {
  id: string;
  name: string;
  text: string;
}

export interface ExampleSet {
  id: string;
  name: string;
  examples: { input: string; output: string }[];
}

// How a value is set off from the text around it, so that a model can tell data from instructions.
export type Delimiter = 'none' | 'xml' | 'quotes' | 'hashes';
export const delimiters: readonly Delimiter[] = ['none', 'xml', 'quotes', 'hashes'];

const variable = /\{\{\s*([\p{L}_][\p{L}\p{N}_-]*)\s*\}\}/gu;

// The names of a prompt's variables, each once, in order.
export const variables = (text: string): string[] => [...new Set(Array.from(text.matchAll(variable), (match) => match[1] ?? ''))];

export function delimited(name: string, value: string, delimiter: Delimiter): string {
  switch (delimiter) {
    case 'none': return value;
    case 'xml': return `<${name}>\n${value}\n</${name}>`;
    case 'quotes': return `"""\n${value}\n"""`;
    case 'hashes': return `### ${name}\n${value}\n###`;
  }
}

// Values are put in as they are: what looks like a variable inside one is not filled in again.
export const fill_in = (text: string, values: Readonly<Record<string, string>>, delimiter: Delimiter): string =>
  text.replace(variable, (whole, name: string) => (name in values ? delimited(name, values[name] ?? '', delimiter) : whole));

// Those that have been written; an empty line of the library shows nothing.
const written = (set: ExampleSet | undefined) => (set?.examples ?? []).filter(({ input, output }) => input.trim() !== '' || output.trim() !== '');

export const example_messages = (set: ExampleSet | undefined): WireMessage[] =>
  written(set).flatMap(({ input, output }): WireMessage[] => [{ role: 'user', content: input }, { role: 'assistant', content: output }]);

// The same set for a model without roles.
export const example_text = (set: ExampleSet | undefined): string =>
  written(set).map(({ input, output }) => `Input: ${input}\nOutput: ${output}\n\n`).join('');
