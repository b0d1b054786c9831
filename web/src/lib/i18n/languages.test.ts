import { expect, test } from 'vitest';

import { dictionaries, fill, languages, type Word } from './languages';

const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

test('every word of every language has the places of the English one', () => {
  for (const language of languages) {
    for (const [word, text] of Object.entries(dictionaries[language])) {
      expect(text, `${language} ${word}`).not.toBe('');
      expect(places(text), `${language} ${word}`).toEqual(places(dictionaries.en[word as Word]));
    }
  }
});

test('the total line is the one that people know', () => {
  const values = { logprob: '-0.15', n: 1, covered: '98.54%', top: 5 };
  expect(fill(dictionaries.en.total_line, values)).toBe('Total: -0.15 logprob on 1 tokens (98.54% probability covered in top 5 logits)');
});
