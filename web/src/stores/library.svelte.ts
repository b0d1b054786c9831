// Saved prompts and few-shot sets.
import { new_id } from '../lib/id';
import type { ExampleSet, SavedPrompt } from '../lib/library';
import { Persisted } from './persisted.svelte';

class Library {
  readonly prompts = new Persisted<SavedPrompt[]>('atelier.prompts', [
    { id: 'summarise', name: 'Summarise', text: 'Summarise the text between the tags in {{length}}.\n\n{{text}}' },
    { id: 'explain', name: 'Explain', text: 'Explain {{topic}} to {{audience}}.' },
  ], Array.isArray);
  readonly sets = new Persisted<ExampleSet[]>('atelier.examples', [
    { id: 'capitals', name: 'Capitals', examples: [{ input: 'Italy', output: 'Rome' }, { input: 'Japan', output: 'Tokyo' }] },
  ], Array.isArray);

  set(id: string | null): ExampleSet | undefined {
    return $state.snapshot(this.sets.value).find((set) => set.id === id);
  }
  add_prompt(name: string): SavedPrompt {
    this.prompts.value.push({ id: new_id(), name, text: '' });
    return this.prompts.value[this.prompts.value.length - 1] as SavedPrompt;
  }
  add_set(name: string): ExampleSet {
    this.sets.value.push({ id: new_id(), name, examples: [{ input: '', output: '' }] });
    return this.sets.value[this.sets.value.length - 1] as ExampleSet;
  }
}

export const library = new Library();
