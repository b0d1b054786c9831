// The playground in a real browser against the real server: `ATELIER_BINARY serve ATELIER_MODEL`. scripts/check_playground.sh runs it.
//   ATELIER_CHROMIUM     the browser (default /usr/bin/chromium)
//   ATELIER_SCREENSHOTS  a folder for the pictures of the documentation; none are taken without it
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from 'vitest';

import type { Inspection, WireMask, WireToken } from '../src/lib/api/wire';

const binary = process.env['ATELIER_BINARY'] ?? '../build/release/atelier';
const model = process.env['ATELIER_MODEL'] ?? 'smollm2-135m-instruct';
const screenshots = process.env['ATELIER_SCREENSHOTS'];
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const kAnswerMs = 120_000; // for a short answer, on a busy machine

const goldens = new URL('../../tests/golden/', import.meta.url).pathname;

let folder: string; // of this run
let server: ChildProcess;
let origin: string;
let browser: Browser;
let page: Page;
let errors: string[]; // that the page threw or logged

// A tiny model with masks: its weights of the goldens and words for them.
function masked_model(): string {
  const target = join(folder, 'masked');
  cpSync(join(goldens, 'encoders/bert-masked'), target, { recursive: true });
  const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'the', 'cat', 'sat', 'on', 'mat', '##s', '.', ',', ...Array.from({ length: 27 }, (_, i) => `w${i}`)];
  writeFileSync(join(target, 'vocab.txt'), `${words.join('\n')}\n`);
  return target;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'playground-'));
  const served = [model, join(goldens, 'models/smollm2'), masked_model()];
  server = spawn(binary, ['serve', ...served, '--name', model, '--name', 'tiny', '--name', 'masked', '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  origin = await new Promise<string>((resolve, reject) => {
    let said = '';
    const read = (chunk: Buffer): void => {
      said += chunk.toString();
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
      if (address) resolve(address[0]);
    };
    server.stdout?.on('data', read);
    server.stderr?.on('data', read);
    server.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
  while (!(await fetch(`${origin}/health`)).ok) await new Promise((resolve) => setTimeout(resolve, 100));
  browser = await chromium.launch({
    executablePath: process.env['ATELIER_CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}, kAnswerMs);

afterAll(async () => {
  await browser?.close();
  server?.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  errors = [];
  const context = await browser.newContext({ viewport: { width: 1360, height: 850 }, locale: 'en-US', colorScheme: 'light', reducedMotion: 'reduce' });
  page = await context.newPage();
  page.setDefaultTimeout(kAnswerMs);
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('request', (request) => request.url().startsWith(origin) || /^(data|blob):/.test(request.url()) || errors.push(`asks ${request.url()}`));
  await page.goto(origin);
  await page.getByRole('combobox', { name: 'Model' }).waitFor();
});

afterEach(async () => {
  expect(errors).toEqual([]);
  await page.context().close();
});

const picture = async (name: string): Promise<void> => {
  if (!screenshots) return;
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `playground-${name}.png`) });
};

const done = (count = 1): Promise<unknown> => page.waitForFunction((n) => document.querySelectorAll('[data-done]').length >= n, count);
const tokens = () => page.locator('[data-token]');
const token_texts = () => page.locator('[data-token] .text').allTextContents();

const view = (name: string): Promise<void> => page.getByRole('navigation').getByRole('button', { name }).click();

async function greedy(length: number): Promise<void> {
  await page.getByRole('spinbutton', { name: 'Temperature' }).fill('0');
  await page.getByRole('spinbutton', { name: 'Length limit' }).fill(String(length));
}
async function ask(question: string): Promise<void> {
  await page.getByLabel('Write a message').fill(question);
  await page.keyboard.press('Enter');
  await done();
}
async function expect_accessible(where: string): Promise<void> {
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const { axe: checker } = window as unknown as { axe: { run: (options: object) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } };
    const { violations: found } = await checker.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  });
  expect(violations, where).toEqual([]);
}

test('streams an answer whose top-5 are the API\'s, and branches from one of them', async () => {
  const question = 'Why is the sky blue?';
  const max_tokens = 40;
  await greedy(max_tokens);
  await ask(question);
  const answer = (await token_texts()).join('');
  expect(answer).toContain('Rayleigh scattering');

  const response = await fetch(`${origin}/v1/chat/completions`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: question }], temperature: 0, max_tokens, logprobs: true, top_logprobs: 5 }),
  });
  const { choices } = (await response.json()) as { choices: { logprobs: { content: WireToken[] } }[] };
  const content = choices[0]?.logprobs.content ?? [];
  expect(answer).toBe(content.map(({ token }) => token).join(''));
  const index = 6;
  await tokens().nth(index).click();
  const shown = await page.getByRole('list', { name: 'Likeliest tokens here' }).getByRole('listitem').allTextContents();
  const told = content[index]?.top_logprobs ?? [];
  expect(shown.map((text) => /([\d.]+)%/.exec(text)?.[1])).toEqual(told.map(({ logprob }) => (100 * Math.exp(logprob)).toFixed(2)));
  const covered = told.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0);
  expect(await page.locator('[data-total]').textContent()).toBe(
    `Total: ${content[index]?.logprob.toFixed(2)} logprob on 1 tokens (${(100 * covered).toFixed(2)}% probability covered in top 5 logits)`);
  await page.getByRole('spinbutton', { name: 'Temperature' }).fill('0.7');
  await picture('chat');
  const shaped = page.getByRole('list', { name: 'Probabilities after the samplers' }).getByRole('listitem');
  const at_low = await shaped.first().textContent();
  await page.getByRole('spinbutton', { name: 'Temperature' }).fill('2');
  expect(await shaped.first().textContent(), 'the distribution follows the temperature').not.toBe(at_low);
  await page.getByRole('spinbutton', { name: 'Top-k' }).fill('1');
  expect(await shaped.first().textContent()).toContain('100.00%');
  await page.getByRole('spinbutton', { name: 'Top-k' }).fill('');
  await page.getByRole('spinbutton', { name: 'Temperature' }).fill('0');
  await expect_accessible('chat with a token');

  await page.getByRole('list', { name: 'Likeliest tokens here' }).getByRole('button').nth(1).click();
  await page.getByText('2 / 2').waitFor();
  await done();
  const branch = await token_texts();
  expect(branch.slice(0, index).join('')).toBe(content.slice(0, index).map(({ token }) => token).join(''));
  expect(branch[index]).toBe(told[1]?.token);
  expect(branch.length).toBeGreaterThan(index + 1);
  await page.getByRole('button', { name: 'Previous version' }).click();
  expect((await token_texts()).join('')).toBe(answer);
});

test('a chat by keyboard alone: write, stop, walk through tokens, select, read the total', async () => {
  await page.getByRole('spinbutton', { name: 'Length limit' }).fill('200');
  await page.getByLabel('Write a message').focus();
  await page.keyboard.type('Tell a long story.');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelectorAll('[data-token]').length > 5);
  await page.keyboard.press('Escape');
  await page.getByText('· stopped').waitFor();
  for (let i = 0; i < 40 && !(await page.evaluate(() => document.activeElement?.hasAttribute('data-token'))); ++i) await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  expect(await page.locator('[data-total]').textContent()).toContain('logprob on 3 tokens');
  await page.keyboard.press('Escape');
  expect(await page.locator('[data-total]').count()).toBe(0);
});

test('a conversation is still there after a reload', async () => {
  await greedy(8);
  await ask('Say hello.');
  await page.waitForFunction(() => new Promise<boolean>((resolve) => { // the browser has written the whole answer down
    const opened = indexedDB.open('atelier', 1);
    opened.onsuccess = () => {
      const all = opened.result.transaction('conversations').objectStore('conversations').getAll();
      all.onsuccess = () => {
        opened.result.close();
        resolve(JSON.stringify(all.result).includes('"finish":"'));
      };
    };
  }));
  await page.reload();
  await page.getByRole('complementary', { name: 'Conversations' }).getByRole('button', { name: 'Say hello.', exact: true }).click();
  await tokens().nth(1).waitFor();
});

test('compares two settings side by side and marks where they part', async () => {
  await greedy(16);
  await view('Compare');
  await page.getByText('Settings', { exact: true }).last().click();
  const side = page.getByRole('region', { name: /^B/ });
  await side.getByRole('spinbutton', { name: 'Length limit' }).fill('16');
  await side.getByRole('textbox', { name: 'Seed' }).fill('7');
  await side.getByRole('spinbutton', { name: 'Temperature' }).fill('1.5');
  await page.getByText('Settings', { exact: true }).last().click();
  await page.getByRole('textbox', { name: 'Question for both' }).fill('Write a poem about the sea.');
  await page.keyboard.press('Control+Enter');
  await done(2);
  await page.getByText(/The answers part at token \d+/).waitFor();
  await picture('compare');
  await expect_accessible('compare');
});

test('compares two models side by side', async () => {
  await greedy(8);
  await view('Compare');
  await page.getByText('Settings', { exact: true }).last().click();
  const side = page.getByRole('region', { name: /^B/ });
  await side.getByRole('combobox', { name: 'Model' }).selectOption('tiny');
  await side.getByRole('spinbutton', { name: 'Length limit' }).fill('8');
  await page.getByRole('textbox', { name: 'Question for both' }).fill('Say hello.');
  await page.keyboard.press('Control+Enter');
  await done(2);
  await page.getByRole('heading', { name: 'B tiny' }).waitFor();
  await page.getByText('The answers part at token 1.').waitFor();
});

test('language and theme change, and stay', async () => {
  await page.getByRole('button', { name: 'Dark theme' }).click();
  await page.getByRole('combobox', { name: 'Language' }).selectOption('fr');
  expect(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dataset['theme']])).toEqual(['fr', 'dark']);
  await page.reload();
  await page.getByRole('button', { name: 'Thème clair' }).waitFor();
  await page.getByLabel('Écrire un message').fill('Bonjour !');
  await page.getByRole('spinbutton', { name: 'Longueur maximale' }).fill('12');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Envoyer' }).click();
  await done();
  await tokens().first().click();
  expect(await page.locator('[data-total]').textContent()).toMatch(/^Total : logprob de -?\d+,\d\d sur 1 tokens/);
  await picture('dark');
  await expect_accessible('dark, French');
});

test('a text grows token by token, and its prompt has a perplexity', async () => {
  await greedy(8);
  await view('Completion');
  await page.getByLabel('Write a text').fill('One, two, three, four,');
  await page.keyboard.press('Control+Enter');
  await done();
  expect((await token_texts()).join('')).toContain(' five');
  await page.getByRole('button', { name: 'Tokens of the prompt' }).click();
  const prompt = page.getByRole('toolbar', { name: 'Tokens of the prompt' });
  await prompt.waitFor();
  expect((await prompt.locator('.text').allTextContents()).join('')).toBe('One, two, three, four,');
  await page.getByText(/perplexity \d/).first().waitFor();
  await expect_accessible('completion');
});

test('the prompt of a chat is shown as the model reads it, template and all', async () => {
  await greedy(4);
  await ask('Hello');
  await page.getByRole('button', { name: 'Tokens of the prompt' }).click();
  const prompt = page.getByRole('toolbar', { name: 'Tokens of the prompt' });
  await prompt.waitFor();
  const texts = await prompt.locator('.text').allTextContents();
  expect(texts[0]).toBe('<|im_start|>');
  expect(texts.join('')).toContain('user\nHello<|im_end|>');
});

test('a model with masks fills every gap, with the API\'s probabilities', async () => {
  await view('Fill the mask');
  expect(await page.getByRole('combobox', { name: 'Model' }).inputValue()).toBe('masked');
  await page.getByRole('textbox').fill('the ___ sat on the ___ .');
  await page.getByRole('button', { name: 'Fill the gap' }).click();
  const response = await fetch(`${origin}/v1/fill`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ model: 'masked', text: 'the <mask> sat on the <mask> .' }),
  });
  const { masks } = (await response.json()) as { masks: WireMask[] };
  for (const [gap, { tokens: told }] of masks.entries()) {
    const shown = await page.getByRole('list', { name: `What fits gap ${gap + 1}` }).getByRole('listitem').allTextContents();
    expect(shown.slice(0, 3).map((text) => /([\d.]+)%/.exec(text)?.[1])).toEqual(told.slice(0, 3).map(({ probability }) => (100 * probability).toFixed(2)));
  }
  await expect_accessible('masks');
  await page.getByRole('list', { name: 'What fits gap 2' }).getByRole('button').first().click();
  const best = masks[1]?.tokens[0]?.token.replace(/^##/, '') ?? '';
  expect(await page.getByRole('textbox').inputValue()).toMatch(new RegExp(`^the ___ sat on the ?${best.replace(/[.*+?^$()|[\]\\]/g, '\\$&')} \\.$`));
});

test('a gap is filled with what fits both sides', async () => {
  await view('Fill the mask');
  await page.getByRole('combobox', { name: 'Model' }).selectOption(model);
  await page.getByRole('textbox').fill('Monday, Tuesday, ___, Thursday, Friday');
  await page.getByRole('button', { name: 'Fill the gap' }).click();
  const first = page.getByRole('list', { name: 'What fits' }).getByRole('listitem').first();
  await first.waitFor();
  expect(await first.textContent()).toContain('Wednesday');
  await expect_accessible('fill');
});

test('the tokenizer\'s pieces and ids are the API\'s, with the bytes of a character that is cut', async () => {
  await view('Tokenizer');
  const text = 'naïve 🙂 tokenizers';
  await page.getByRole('textbox', { name: 'Text', exact: true }).fill(text);
  const response = await fetch(`${origin}/tokenize`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ model, content: text, add_special: true }),
  });
  const { tokens: ids } = (await response.json()) as { tokens: number[] };
  await page.getByText(`${ids.length} tokens, 22 bytes`).waitFor();
  expect((await page.locator('tbody td:nth-child(3)').allTextContents()).map(Number)).toEqual(ids);
  expect(await page.locator('tbody td:nth-child(4)').last().textContent()).toMatch(/–22$/);
  await page.getByRole('textbox', { name: 'Ids to text' }).fill(ids.join(', '));
  await page.getByRole('button', { name: 'Decode' }).click();
  await page.getByRole('status').filter({ hasText: text }).waitFor();
  await picture('tokenizer');
  await expect_accessible('tokenizer');
});

test('attention, logit lens and residual stream are the API\'s', async () => {
  await view('Inside');
  const prompt = 'The capital of France is Paris. The capital of Italy is';
  await page.getByRole('textbox', { name: 'Text', exact: true }).fill(prompt);
  await page.getByRole('button', { name: 'Look inside' }).click();
  const layer = 12;
  const head = 3;
  await page.getByRole('slider', { name: 'Layer' }).fill(String(layer));
  await page.getByRole('button', { name: `Head ${head}`, exact: true }).click();
  const response = await fetch(`${origin}/v1/inspect`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ model, prompt, what: 'attention', layers: [layer], heads: [head] }),
  });
  const inspection = (await response.json()) as Inspection;
  const weights = [...(inspection.attention?.values[0]?.[0]?.at(-1) ?? [])].sort((a, b) => b - a);
  expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 3);
  await page.waitForFunction((top) => document.querySelector('tbody td:nth-child(2)')?.textContent === top, `${(100 * (weights[0] ?? 0)).toFixed(1)}%`);
  await picture('inside');
  await expect_accessible('attention');

  await page.getByRole('tab', { name: 'Attention' }).focus();
  await page.keyboard.press('ArrowRight');
  const states = await page.locator('tbody tr').count();
  expect(states).toBe(31); // the embedding and 30 layers
  expect(await page.locator('tbody tr').first().locator('td').count()).toBe(inspection.ids.length);
  await picture('lens');
  await expect_accessible('logit lens');
  await page.keyboard.press('ArrowRight');
  await page.getByText('After the last norm').waitFor();
  await expect_accessible('residual stream');
});

test('a saved prompt asks for its variables, and the export repeats the very request', async () => {
  await greedy(4);
  await page.getByRole('button', { name: 'Prompts' }).click();
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.getByRole('textbox', { name: 'topic' }).fill('rain');
  await page.getByRole('textbox', { name: 'audience' }).fill('a child');
  await page.getByRole('combobox', { name: 'Set values off with' }).selectOption('none');
  await page.getByRole('button', { name: 'Insert' }).click();
  expect(await page.getByLabel('Write a message').inputValue()).toBe('Explain rain to a child.');
  await page.getByLabel('Write a message').press('Enter');
  await done();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  await page.getByRole('button', { name: 'Copy the request as curl' }).click();
  await page.getByText('Copied').waitFor();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  expect(execFileSync('bash', ['-c', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })).toMatch(/^data: \{[^]*data: \[DONE\]\s*$/);
});

test('few-shot examples are kept apart from the text, and a conversation is saved as JSON and Markdown and repeated in Python', async () => {
  await greedy(4);
  await page.getByRole('button', { name: 'Library' }).click();
  await page.getByRole('button', { name: 'New set' }).click();
  await page.getByRole('button', { name: 'New example' }).last().click();
  await page.getByLabel('Input of example 1').last().fill('one');
  await page.getByLabel('Output of example 1').last().fill('un');
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await page.getByRole('combobox', { name: 'Few-shot examples' }).selectOption('New set');
  await ask('two');
  const saved = async (name: string): Promise<string> => {
    await page.getByRole('button', { name: 'Export', exact: true }).click();
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
    return readFileSync(await file.path(), 'utf8');
  };
  const conversation = JSON.parse(await saved('Save as JSON')) as { kind: string; messages: Record<string, { text: string; answer: { request: { messages: object[] } } | null }> };
  expect(Object.values(conversation.messages).map(({ text }) => text)).not.toContain('one');
  expect(Object.values(conversation.messages).find(({ answer }) => answer)?.answer?.request.messages.slice(0, 3)).toEqual([
    { role: 'user', content: 'one' }, { role: 'assistant', content: 'un' }, { role: 'user', content: 'two' }]);
  expect(await saved('Save as Markdown')).toContain('**user**\n\ntwo\n');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  await page.getByRole('button', { name: 'Copy the request as Python' }).click();
  await page.getByText('Copied').waitFor();
  const program = await page.evaluate(() => navigator.clipboard.readText());
  expect(execFileSync('python3', ['-c', 'import ast, sys; print(len(ast.parse(sys.stdin.read()).body))'], { encoding: 'utf8', input: program }).trim()).toBe('5');
  expect(program).toContain('{"role": "assistant", "content": "un"}');
});

test('an answer is edited, asked for again, and conversations travel as a file', async () => {
  await greedy(4);
  await ask('Say hello.');
  await page.getByRole('button', { name: 'Answer again' }).last().click();
  await page.getByText('2 / 2').waitFor();
  await done();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export all' }).click()]);
  const path = await file.path();
  await page.getByRole('complementary', { name: 'Conversations' }).getByRole('button', { name: 'Delete Say hello.' }).click();
  expect(await page.getByRole('button', { name: 'Say hello.', exact: true }).count()).toBe(0);
  await page.locator('input[type=file]').setInputFiles({ name: 'conversations.json', mimeType: 'application/json', buffer: readFileSync(path) });
  await page.getByText('1 imported').waitFor();
  await page.getByRole('button', { name: 'Say hello.', exact: true }).click();
  expect(await tokens().count()).toBeGreaterThan(1);
  await page.getByRole('button', { name: 'Edit' }).first().click();
  await page.getByRole('textbox', { name: 'Edit' }).fill('Say goodbye.');
  await page.getByRole('button', { name: 'Save and answer' }).click();
  await done();
  expect(await page.getByText('Say goodbye.').count()).toBeGreaterThan(0);
});
