// The session's end of its link to the daemon. Every question waits for the daemon's answer; when
// the daemon is gone there is none, and anyone who waits is refused.

import { NdjsonDecoder } from "../../../wire/ndjson.ts";
import type { ChannelEnd, FromSession, RecordingOrder, SessionStart, ToSession, Wish } from "../link.ts";

/** The daemon's answer to a wish. */
export type WishAnswer =
  | { readonly kind: "go"; readonly recording?: RecordingOrder }
  | { readonly kind: "refuse"; readonly text: string };

interface Waiting {
  held(text: string): void;
  answer(answer: WishAnswer): void;
}

type Line = { readonly [Key in FromSession as Key["type"]]: Key }[FromSession["type"]];
type Question = {
  readonly type: "login";
  readonly user: string;
  readonly target: import("../link.ts").DialledTarget;
};

/** Asks, and reports. */
export class SessionLink {
  readonly #waiting = new Map<number, Waiting>();
  readonly #send: (line: Line) => void;
  readonly #stops = new Map<number, () => void>();
  #serial = 0;
  #started: ((start: SessionStart) => void) | undefined;
  /** The daemon's first message. */
  readonly start: Promise<SessionStart>;
  /** Resolves when the daemon is gone. */
  readonly gone: Promise<void>;

  constructor(input: ReadableStream<Uint8Array>, send: (line: FromSession) => void) {
    this.#send = send;
    this.start = new Promise((resolve) => {
      this.#started = resolve;
    });
    this.gone = this.#read(input).catch(() => undefined);
  }

  async #read(input: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new NdjsonDecoder();
    for await (const bytes of input) for (const line of decoder.push(bytes)) this.#take(line as ToSession);
    for (const waiting of this.#waiting.values()) waiting.answer({ kind: "refuse", text: GONE });
    this.#waiting.clear();
  }

  #take(line: ToSession): void {
    if (line.type === "start") {
      this.#started?.(line.start);
      return;
    }
    if (line.type === "stop") {
      this.#stops.get(line.id)?.();
      return;
    }
    const waiting = this.#waiting.get(line.id);
    if (waiting === undefined) return;
    if (line.type === "held") {
      waiting.held(line.text);
      return;
    }
    this.#waiting.delete(line.id);
    waiting.answer(line.type === "go" ? { ...line, kind: "go" } : { kind: "refuse", text: line.text });
  }

  /** Says who logs in and where to that leads. */
  login(question: Omit<Question, "type">): Promise<WishAnswer> {
    return this.#ask(
      (id) => ({ type: "login", id, ...question }),
      () => undefined,
    ).answer;
  }

  /** Asks for a wish; `held` is told once when a person has to decide. */
  ask(
    wish: Wish,
    held: (text: string) => void,
  ): { readonly id: number; readonly answer: Promise<WishAnswer> } {
    return this.#ask((id) => ({ type: "ask", id, wish }), held);
  }

  #ask(
    line: (id: number) => FromSession,
    held: (text: string) => void,
  ): { id: number; answer: Promise<WishAnswer> } {
    this.#serial += 1;
    const id = this.#serial;
    const answer = new Promise<WishAnswer>((resolve) => this.#waiting.set(id, { held, answer: resolve }));
    this.#send(line(id));
    return { id, answer };
  }

  /** The client gave up before there was an answer. */
  leave(id: number): void {
    if (!this.#waiting.has(id)) return;
    this.#send({ type: "left", id });
  }

  /** Calls back when a person ends it. */
  onStop(id: number, stop: () => void): void {
    this.#stops.set(id, stop);
  }

  /** Reports the end of a wish that was let go. */
  end(id: number, end: ChannelEnd): void {
    this.#stops.delete(id);
    this.#send({ type: "end", id, end });
  }
}

const GONE = "iddio: the gateway has stopped; nothing was carried out";
