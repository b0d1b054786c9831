// Conversations in the browser's IndexedDB. Where that is forbidden they live as long as the page.
import type { Conversation } from './conversation';

const kStore = 'conversations';

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB'));
  });

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open('atelier', 1);
  request.onupgradeneeded = () => request.result.createObjectStore(kStore, { keyPath: 'id' });
  return settled(request);
}

const database = open().catch(() => null);

async function run<T, U>(mode: IDBTransactionMode, action: (store: IDBObjectStore) => IDBRequest<T>, otherwise: U): Promise<T | U> {
  const db = await database;
  return db ? settled(action(db.transaction(kStore, mode).objectStore(kStore))).catch(() => otherwise) : otherwise;
}

export const load_all = (): Promise<Conversation[]> => run('readonly', (store): IDBRequest<Conversation[]> => store.getAll(), []);
export const save = (conversation: Conversation): Promise<unknown> => run('readwrite', (store) => store.put(conversation), null);
export const remove = (id: string): Promise<unknown> => run('readwrite', (store) => store.delete(id), null);
