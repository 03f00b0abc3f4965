/** One event of a `text/event-stream`. */
export interface ServerEvent {
  id: string | null;
  event: string;
  data: string;
}

/**
 * Reads server-sent events out of text that arrives in arbitrary pieces (WHATWG HTML, 9.2.6). `EventSource` is
 * not used because it can neither POST nor report an error's body.
 */
export class SseParser {
  private buffer = '';
  private lastId: string | null = null;
  private event = '';
  private data: string[] = [];
  private started = false;

  /** The id to resume after. */
  get lastEventId(): string | null {
    return this.lastId;
  }

  push(text: string): ServerEvent[] {
    this.buffer += text;
    if (!this.started && this.buffer.length > 0) {
      this.started = true;
      if (this.buffer.startsWith('\uFEFF')) this.buffer = this.buffer.slice(1);
    }
    const events: ServerEvent[] = [];
    for (;;) {
      const line = this.takeLine();
      if (line === null) return events;
      const event = this.line(line);
      if (event) events.push(event);
    }
  }

  private takeLine(): string | null {
    const end = this.buffer.search(/[\r\n]/);
    if (end < 0) return null;
    // A carriage return at the very end may be the first half of CRLF: wait for what follows.
    if (this.buffer[end] === '\r' && end === this.buffer.length - 1) return null;
    const line = this.buffer.slice(0, end);
    const width = this.buffer[end] === '\r' && this.buffer[end + 1] === '\n' ? 2 : 1;
    this.buffer = this.buffer.slice(end + width);
    return line;
  }

  private line(line: string): ServerEvent | null {
    if (line === '') return this.dispatch();
    if (line.startsWith(':')) return null;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.event = value;
    else if (field === 'data') this.data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.lastId = value;
    return null;
  }

  private dispatch(): ServerEvent | null {
    const data = this.data;
    const event = this.event || 'message';
    this.data = [];
    this.event = '';
    if (data.length === 0) return null;
    return { id: this.lastId, event, data: data.join('\n') };
  }
}

/** Yields the events of a response body until it ends. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const parser = new SseParser();
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    // The consumer may leave early; the connection must not stay open behind it.
    await reader.cancel().catch(() => undefined);
  }
}
