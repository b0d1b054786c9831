// What the server says of itself: its models, whether it is there, how busy it is.
import { metrics, models, set_api_key } from '../lib/api/client';
import type { WireModel } from '../lib/api/wire';
import { message_of } from '../lib/error';
import { settings } from './settings.svelte';

class Server {
  models = $state.raw<WireModel[]>([]);
  // Those that write answers; a model that is not loaded may.
  readonly writers = $derived(this.models.filter(({ tasks }) => tasks?.includes('generate') ?? true));
  error = $state<string | null>(null);
  memory_bytes = $state<number | null>(null);
  num_waiting = $state(0);

  async connect(): Promise<void> {
    try {
      this.models = await models();
      this.error = null;
      const names = this.writers.map(({ id }) => id);
      for (const side of [settings.a, settings.b]) {
        if (!names.includes(side.value.model)) side.value.model = names[0] ?? '';
      }
      await this.refresh();
    } catch (error) {
      this.error = message_of(error);
    }
  }

  // A key stays in this page's memory and is gone with it.
  async use_key(key: string): Promise<void> {
    set_api_key(key);
    await this.connect();
  }

  async refresh(): Promise<void> {
    const samples = await metrics();
    this.memory_bytes = samples.get('process_resident_memory_bytes') ?? null;
    this.num_waiting = samples.get('llamacpp:requests_deferred') ?? 0;
  }
}

export const server = new Server();
