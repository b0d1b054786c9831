// Server-sent events as an API streams them (WHATWG HTML, "event stream interpretation"), from chunks that may end anywhere, also inside
// a character. Only `data` matters here; comments, such as keep-alive pings, and other fields are skipped.

export class SseParser {
  private readonly decoder = new TextDecoder();
  private rest = '';
  private data: string[] = [];

  // The data of the events that this chunk completes.
  push(chunk: Uint8Array): string[] {
    this.rest += this.decoder.decode(chunk, { stream: true });
    const events: string[] = [];
    for (let end = this.lineEnd(); end; end = this.lineEnd()) {
      const line = this.rest.slice(0, end.at);
      this.rest = this.rest.slice(end.at + end.length);
      if (line === '') {
        if (this.data.length > 0) events.push(this.data.join('\n'));
        this.data = [];
      } else if (line.startsWith('data:')) {
        this.data.push(line.slice(line[5] === ' ' ? 6 : 5));
      }
    }
    return events;
  }

  // A carriage return at the end of what is there may be half of a line break.
  private lineEnd(): { at: number; length: number } | null {
    const at = this.rest.search(/[\r\n]/);
    if (at < 0 || (this.rest[at] === '\r' && at + 1 === this.rest.length)) return null;
    return { at, length: this.rest.startsWith('\r\n', at) ? 2 : 1 };
  }
}
