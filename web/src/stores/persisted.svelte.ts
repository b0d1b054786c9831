// A value that the browser keeps. Storage may be forbidden or full: the page then works without it.

export class Persisted<T> {
  value: T = $state() as T;

  constructor(readonly key: string, fallback: T, is_valid: (value: unknown) => boolean = (value) => typeof value === typeof fallback) {
    this.value = Persisted.read(key, fallback, is_valid);
    $effect.root(() => {
      $effect(() => {
        const text = JSON.stringify(this.value);
        try {
          localStorage.setItem(key, text);
        } catch {
          // Not kept.
        }
      });
    });
  }

  private static read<T>(key: string, fallback: T, is_valid: (value: unknown) => boolean): T {
    try {
      const value = JSON.parse(localStorage.getItem(key) ?? 'null') as unknown;
      return value !== null && is_valid(value) ? (value as T) : fallback;
    } catch {
      return fallback;
    }
  }
}
