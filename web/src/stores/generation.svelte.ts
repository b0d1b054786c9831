// Answers while they are written. One at a time and conversation; stopping keeps what is there.
import { stream } from '../lib/api/client';
import { add, path, show, update, type Answer, type Conversation, type Message } from '../lib/conversation';
import { message_of } from '../lib/error';
import { answer_request } from '../lib/request';
import { SettingError, type Settings } from '../lib/settings';
import { text_of, type Token } from '../lib/token';
import { conversations } from './conversations.svelte';
import { t } from './language';
import { library } from './library.svelte';
import { server } from './server.svelte';
import { settings } from './settings.svelte';

// The text so far of an answer and its tokens, by whoever keeps them.
export type Sink = (change: (message: Message) => Message) => void;

const explained = (error: unknown): string => {
  if (error instanceof SettingError) return t(`error_${error.field}`);
  return message_of(error);
};

const with_answer = (message: Message, changes: Partial<Answer>): Message =>
  message.answer ? { ...message, answer: { ...message.answer, ...changes } } : message;

export const blank_answer = (given: readonly Token[]): Answer => ({
  request: {}, endpoint: '', tokens: [...given], num_given: given.length, finish: null, error: null, usage: null, first_token_s: null, total_s: null,
});

export class Generation {
  is_running = $state(false);
  private abort: AbortController | null = null;

  stop(): void {
    this.abort?.abort();
  }

  // Writes an answer after `before` into `sink`, whose message holds a blank answer.
  async write(sink: Sink, conversation: Pick<Conversation, 'kind' | 'system' | 'examples'>, before: readonly Message[], given: readonly Token[], chosen: Settings): Promise<void> {
    const abort = (this.abort = new AbortController());
    this.is_running = true;
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    const watch = setInterval(() => void server.refresh(), 2000);
    try {
      const { endpoint, body } = answer_request(conversation, before, text_of(given), chosen, library.set(conversation.examples));
      sink((message) => with_answer(message, { request: body, endpoint }));
      for await (const delta of stream(endpoint, body, abort.signal)) {
        sink((message) => {
          const { answer } = message;
          if (!answer) return message;
          const is_first = answer.first_token_s === null && (delta.text !== '' || delta.tokens.length > 0);
          return {
            ...message, text: message.text + delta.text, reasoning: message.reasoning + delta.reasoning,
            answer: {
              ...answer, tokens: delta.tokens.length > 0 ? [...answer.tokens, ...delta.tokens] : answer.tokens,
              finish: delta.finish ?? answer.finish, usage: delta.usage ?? answer.usage, first_token_s: is_first ? seconds() : answer.first_token_s,
            },
          };
        });
      }
      sink((message) => with_answer(message, { total_s: seconds() }));
    } catch (error) {
      const changes = abort.signal.aborted ? { finish: 'stopped' } : { finish: 'error', error: explained(error) };
      sink((message) => with_answer(message, { ...changes, total_s: seconds() }));
    } finally {
      clearInterval(watch);
      this.is_running = false;
      void server.refresh();
    }
  }
}

// The answers of conversations.
class ConversationGeneration extends Generation {
  // Answers after `parent`, beginning with the tokens `given`.
  async answer(conversation: Conversation, parent: string | null, given: readonly Token[] = []): Promise<void> {
    if (this.is_running) return;
    const added = add(conversation, { parent, role: 'assistant', text: text_of(given), reasoning: '', answer: blank_answer(given) });
    conversations.put(added.conversation);
    const sink: Sink = (change) => {
      const latest = conversations.find(conversation.id);
      if (latest) conversations.put(update(latest, added.id, change), false);
    };
    await this.write(sink, conversation, path(conversation, parent), given, $state.snapshot(settings.a.value));
    const latest = conversations.find(conversation.id);
    if (latest) conversations.put(latest);
  }

  async send(conversation: Conversation, text: string): Promise<void> {
    if (this.is_running) return;
    const added = add(conversation, { parent: conversation.leaf, role: 'user', text, reasoning: '', answer: null });
    await this.answer(added.conversation, added.id);
  }

  // Puts words into the model's mouth: a message of its that nothing was asked for.
  say(conversation: Conversation, text: string): void {
    conversations.put(add(conversation, { parent: conversation.leaf, role: 'assistant', text, reasoning: '', answer: null }).conversation);
  }

  // Another version of a message: a question is answered again, an answer stands as it is written.
  async edit(conversation: Conversation, message: Message, text: string): Promise<void> {
    if (this.is_running) return;
    const added = add(conversation, { parent: message.parent, role: message.role, text, reasoning: '', answer: null });
    conversations.put(added.conversation);
    if (message.role === 'user') await this.answer(added.conversation, added.id);
  }

  show(conversation: Conversation, id: string): void {
    if (!this.is_running) conversations.put(show(conversation, id));
  }
}

export const generation = new ConversationGeneration();
