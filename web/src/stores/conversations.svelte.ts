// The conversations and which of them is open, per kind.
import { new_conversation, parse_conversation, type Conversation, type Kind } from '../lib/conversation';
import { load_all, remove, save } from '../lib/database';

class Conversations {
  private all = $state.raw<Conversation[]>([]);
  private open = $state.raw<Record<Kind, Conversation>>({ chat: new_conversation('chat'), completion: new_conversation('completion') });

  async load(): Promise<void> {
    this.all = (await load_all()).filter((stored) => parse_conversation(stored) !== null).sort((a, b) => b.changed_ms - a.changed_ms);
  }

  current(kind: Kind): Conversation {
    return this.open[kind];
  }
  list(kind: Kind): Conversation[] {
    return this.all.filter((conversation) => conversation.kind === kind);
  }

  select(conversation: Conversation): void {
    this.open = { ...this.open, [conversation.kind]: conversation };
  }
  start(kind: Kind): void {
    const { system, examples } = this.open[kind];
    this.select({ ...new_conversation(kind), system, examples });
  }

  find(id: string): Conversation | undefined {
    return Object.values(this.open).find((conversation) => conversation.id === id) ?? this.all.find((conversation) => conversation.id === id);
  }
  // Puts a changed conversation in the place of the old one; `keeps` it on disk too.
  put(conversation: Conversation, keeps = true): void {
    if (this.open[conversation.kind].id === conversation.id) this.select(conversation);
    if (Object.keys(conversation.messages).length === 0) return;
    this.all = [conversation, ...this.all.filter(({ id }) => id !== conversation.id)];
    if (keeps) void save(conversation);
  }
  async delete(conversation: Conversation): Promise<void> {
    this.all = this.all.filter(({ id }) => id !== conversation.id);
    if (this.open[conversation.kind].id === conversation.id) this.start(conversation.kind);
    await remove(conversation.id);
  }

  export(): string {
    return JSON.stringify({ format: 'atelier-conversations', version: 1, conversations: this.all }, null, 1);
  }
  // How many were read; what is no conversation is left out.
  import(text: string): number {
    const file = JSON.parse(text) as { conversations?: unknown[] } | unknown[] | null;
    const list = Array.isArray(file) ? file : (file?.conversations ?? [file]);
    const read = list.map(parse_conversation).filter((conversation) => conversation !== null);
    for (const conversation of read) this.put(conversation);
    return read.length;
  }
}

export const conversations = new Conversations();
