// Server-sent events (WHATWG HTML 9.2) as MCP's HTTP transport uses them: lines that end in CR, LF
// or both, a byte order mark, comments, events in any pieces. Owns the framing and its bounds.
// Events come out whole; an event that the stream breaks off is none.

/** One event. Fields that were not sent are undefined; `data` is "" for an event without any. */
export interface StreamEvent {
  readonly event?: string;
  readonly data: string;
  /** The last id that was sent, which clients name to go on after it. */
  readonly id?: string;
  /** Milliseconds that the client is to wait before it comes back. */
  readonly retry?: number;
}

/** Takes a stream apart into events. */
export class EventStreamReader {
  readonly #maxBytes: number;
  // A wrong octet becomes U+FFFD as the standard says; a message with one is no message.
  readonly #text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #line = "";
  #isFirst = true;
  #wasCr = false;
  #data: string[] = [];
  #size = 0;
  #event: string | undefined;
  #id: string | undefined;
  #retry: number | undefined;
  #hasField = false;
  #problem: string | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Why there are no more events; undefined while all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The events that ended in this piece. */
  push(chunk: Uint8Array): readonly StreamEvent[] {
    const events: StreamEvent[] = [];
    if (this.#problem !== undefined) return events;
    let text: string;
    try {
      text = this.#text.decode(chunk, { stream: true });
    } catch {
      this.#problem = "the stream is not UTF-8";
      return events;
    }
    if (this.#isFirst && text.length > 0) {
      this.#isFirst = false;
      if (text.startsWith("\ufeff")) text = text.slice(1);
    }
    let start = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code !== 0x0a && code !== 0x0d) {
        this.#wasCr = false;
        continue;
      }
      const isTail = code === 0x0a && this.#wasCr && at === start && this.#line === "";
      this.#wasCr = code === 0x0d;
      if (!isTail) this.#endLine(this.#line + text.slice(start, at), events);
      if (this.#problem !== undefined) return events;
      this.#line = "";
      start = at + 1;
    }
    this.#line += text.slice(start);
    this.#check(this.#line.length);
    return events;
  }

  #endLine(line: string, events: StreamEvent[]): void {
    if (line === "") {
      if (this.#hasField) events.push(this.#take());
      return;
    }
    this.#size += line.length;
    this.#check(0);
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^\d{1,9}$/.test(value)) this.#retry = Number(value);
    else return;
    this.#hasField = true;
  }

  #take(): StreamEvent {
    const event: StreamEvent = {
      ...(this.#event === undefined ? {} : { event: this.#event }),
      data: this.#data.join("\n"),
      ...(this.#id === undefined ? {} : { id: this.#id }),
      ...(this.#retry === undefined ? {} : { retry: this.#retry }),
    };
    this.#data = [];
    this.#size = 0;
    this.#event = undefined;
    this.#id = undefined;
    this.#retry = undefined;
    this.#hasField = false;
    return event;
  }

  #check(more: number): void {
    if (this.#size + more > this.#maxBytes) this.#problem = `an event is longer than ${this.#maxBytes} bytes`;
  }
}

/** An event as it goes on the wire. `event`, `id` and `retry` must hold no line end, which the reader has made sure of. */
export function serialiseEvent({ event, data, id, retry }: StreamEvent): string {
  let text = "";
  if (event !== undefined) text += `event: ${event}\n`;
  if (id !== undefined) text += `id: ${id}\n`;
  if (retry !== undefined) text += `retry: ${retry}\n`;
  for (const line of data.split(/\r\n|\r|\n/)) text += `data: ${line}\n`;
  return `${text}\n`;
}
