import { expect, test } from 'vitest';

import { delimited, example_messages, example_text, fill_in, variables } from './library';

test('variables are found once each, in order', () => expect(variables('{{a}} {{ été }} {{a}} {{}} {b}')).toEqual(['a', 'été']));

test('values are put in once: one that looks like a variable stays', () => {
  expect(fill_in('{{a}}-{{b}}-{{c}}', { a: '{{b}}', b: '$&' }, 'none')).toBe('{{b}}-$&-{{c}}');
});

test('delimiters set a value off', () => {
  expect(fill_in('Sum up {{text}}', { text: 'x' }, 'xml')).toBe('Sum up <text>\nx\n</text>');
  expect(delimited('text', 'x', 'quotes')).toBe('"""\nx\n"""');
});

test('examples are turns for a chat model and a text for others', () => {
  const set = { id: '1', name: 'n', examples: [{ input: 'cat', output: 'chat' }, { input: ' ', output: '' }] };
  expect(example_messages(set)).toEqual([{ role: 'user', content: 'cat' }, { role: 'assistant', content: 'chat' }]);
  expect(example_text(set)).toBe('Input: cat\nOutput: chat\n\n');
  expect(example_text(undefined)).toBe('');
});
