import { describe, expect, it } from 'vitest';
import { readEvents, SseParser } from './sse';

describe('SseParser', () => {
  it('joins data lines and keeps id and event name', () => {
    const parser = new SseParser();
    expect(parser.push('id: 7\nevent: delta\ndata: {"text":\ndata: "a"}\n\n')).toEqual([
      { id: '7', event: 'delta', data: '{"text":\n"a"}' },
    ]);
    expect(parser.lastEventId).toBe('7');
  });

  it('gives the same events however the text is cut', () => {
    const text =
      '\uFEFF: hello\r\nid: 1\r\nevent: a\r\ndata: 问\r\n\r\ndata:x\rdata: y\r\rid\nevent: b\ndata\n\n';
    const whole = new SseParser().push(text + '\n');
    expect(whole.map((event) => [event.id, event.event, event.data])).toEqual([
      ['1', 'a', '问'],
      ['1', 'message', 'x\ny'],
      ['', 'b', ''],
    ]);
    const parser = new SseParser();
    expect([...text, '\n'].flatMap((character) => parser.push(character))).toEqual(whole);
  });

  it('drops an event without data and an unfinished one', () => {
    const parser = new SseParser();
    expect(parser.push('event: ping\n\ndata: half')).toEqual([]);
  });
});

describe('readEvents', () => {
  it('decodes characters that are split between network pieces', async () => {
    const bytes = new TextEncoder().encode('data: 安问\n\n');
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const seen: string[] = [];
    for await (const event of readEvents(body)) seen.push(event.data);
    expect(seen).toEqual(['安问']);
  });
});
