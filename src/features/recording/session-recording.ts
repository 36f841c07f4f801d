// One session while it lasts: what its reader finds goes into its file, counted and hashed, content
// as far as the settings say. Owns when content is left out and what happens when the file fails.

import type { SessionTap } from "../../gateway/stream/session-tap.ts";
import type { Header } from "../../model/request.ts";
import { headerValue } from "../../model/request.ts";
import type { Session } from "../../protocols/kubectl/session.ts";
import { type SessionEvents, type SessionReader, type StreamName, sessionReader } from "./session-reader.ts";

/** How much of a session is kept. */
export interface RecordingScope {
  /** Whether content is kept, or only lengths and times. */
  readonly hasContent: boolean;
  /** Whether keystrokes in a terminal are kept too. */
  readonly hasTyped: boolean;
  /** Octets of content; beyond it there are only lengths. */
  readonly contentMax: number;
  /** Whether the session ends when it can no longer be recorded. */
  readonly endsOnFailure: boolean;
}

/** Where lines go. */
export interface LineSink {
  add(line: string): void;
  /** The line `[seconds,"<name>","<octets in base64>"]`; the octets may change afterwards. */
  addContent(seconds: number, name: string, octets: Uint8Array): void;
}

/** The facts about a session that has ended. */
export interface SessionEnd {
  readonly seconds: number;
  readonly exitCode: number | undefined;
  readonly octets: Readonly<Record<string, number>>;
  /** Why the recording is not whole, if it is not. */
  readonly problem: string | undefined;
}

/** Standard input of a command without a terminal is kept up to this. */
const STDIN_MAX = 1024 * 1024;
const ERROR_MAX = 64 * 1024;
const RESIZE_MAX = 4 * 1024;

/** Records one session. */
export class SessionRecording implements SessionTap, SessionEvents {
  readonly #session: Session;
  readonly #scope: RecordingScope;
  readonly #sink: LineSink;
  readonly #ended: (end: SessionEnd) => void;
  readonly #begunMs = performance.now();
  readonly #octets = new Map<string, number>();
  readonly #hashes = new Map<string, Bun.CryptoHasher>();
  #reader: SessionReader | undefined;
  #cut: (() => void) | undefined;
  #content = 0;
  #stdin = 0;
  #error = "";
  #resize = "";
  #problem: string | undefined;
  #isOver = false;
  #hasSwitched = false;

  constructor(session: Session, scope: RecordingScope, sink: LineSink, ended: (end: SessionEnd) => void) {
    this.#session = session;
    this.#scope = scope;
    this.#sink = sink;
    this.#ended = ended;
  }

  /** Whether a 101 came: without it there was no session. */
  get hasSwitched(): boolean {
    return this.#hasSwitched;
  }

  begin(headers: readonly Header[], cut: () => void): void {
    this.#hasSwitched = true;
    this.#cut = cut;
    const isWebSocket = headerValue(headers, "upgrade")?.toLowerCase() === "websocket";
    const protocol = headerValue(
      headers,
      isWebSocket ? "sec-websocket-protocol" : "x-stream-protocol-version",
    );
    const reader = sessionReader(
      {
        isWebSocket,
        protocol: protocol ?? "",
        hasExtensions: headerValue(headers, "sec-websocket-extensions") !== undefined,
        kind: this.#session.kind,
      },
      this,
    );
    if (typeof reader === "string") this.fail(reader);
    else this.#reader = reader;
  }

  fromClient(bytes: Uint8Array): void {
    this.#read(bytes, true);
  }

  fromServer(bytes: Uint8Array): void {
    this.#read(bytes, false);
  }

  #read(bytes: Uint8Array, isClient: boolean): void {
    const reader = this.#reader;
    if (reader === undefined || this.#isOver) return;
    try {
      if (isClient) reader.fromClient(bytes);
      else reader.fromServer(bytes);
    } catch (error) {
      this.fail(`it could not be read: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (reader.problem !== undefined) this.fail(`it could not be read: ${reader.problem}`);
  }

  /** The recording cannot go on: the session ends, or goes on without it. */
  fail(why: string): void {
    if (this.#problem !== undefined || this.#isOver) return;
    this.#problem = why;
    this.#reader = undefined;
    this.#sink.add(JSON.stringify({ problem: why, seconds: this.#seconds() }));
    if (this.#scope.endsOnFailure) this.#cut?.();
  }

  /** A person ends it. */
  end(): void {
    this.#problem ??= "a person ended it";
    this.#cut?.();
  }

  data(stream: StreamName, payload: Uint8Array, connection: number): void {
    this.#octets.set(stream, (this.#octets.get(stream) ?? 0) + payload.length);
    if (stream === "resize") {
      this.#resized(payload);
      return;
    }
    let hash = this.#hashes.get(stream);
    if (hash === undefined) {
      hash = new Bun.CryptoHasher("sha256");
      this.#hashes.set(stream, hash);
    }
    hash.update(payload);
    if (stream === "error" && this.#error.length < ERROR_MAX)
      this.#error += Buffer.from(payload).toString("latin1");
    const name = connection === 0 ? stream : `${stream} ${connection}`;
    if (this.#keeps(stream, payload.length)) this.#sink.addContent(this.#seconds(), name, payload);
    else if (connection === 0) this.#sink.add(`[${this.#seconds()},"${name}",${payload.length}]`);
  }

  /** Whether content is kept; without it only lengths and times are kept. */
  #keeps(stream: StreamName, octets: number): boolean {
    const { hasContent, hasTyped, contentMax } = this.#scope;
    if (!hasContent && stream !== "error") return false;
    if (stream === "stdin") {
      if (this.#session.isTty) return hasTyped;
      this.#stdin += octets;
      if (this.#stdin > STDIN_MAX) return false;
    }
    this.#content += octets;
    return this.#content <= contentMax;
  }

  #resized(payload: Uint8Array): void {
    this.#resize = (this.#resize + Buffer.from(payload).toString("latin1")).slice(-RESIZE_MAX);
    for (;;) {
      const found = /\{[^{}]*\}/.exec(this.#resize);
      if (found === null) return;
      this.#resize = this.#resize.slice(found.index + found[0].length);
      const width = Number(/"Width":(\d{1,5})\b/.exec(found[0])?.[1]);
      const height = Number(/"Height":(\d{1,5})\b/.exec(found[0])?.[1]);
      if (width > 0 && height > 0) this.#sink.add(`[${this.#seconds()},"resize","${width}x${height}"]`);
    }
  }

  forwarded(connection: number, port: string): void {
    this.#sink.add(JSON.stringify([this.#seconds(), "connect", { connection, port }]));
  }

  ended(connection: number): void {
    this.#sink.add(JSON.stringify([this.#seconds(), "disconnect", { connection }]));
  }

  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const octets = Object.fromEntries(this.#octets);
    const exitCode = exitCodeInStatus(this.#error);
    const seconds = this.#seconds();
    const sha256 = Object.fromEntries([...this.#hashes].map(([name, hash]) => [name, hash.digest("hex")]));
    this.#sink.add(
      JSON.stringify({
        end: {
          seconds,
          ...(exitCode === undefined ? {} : { exit_code: exitCode }),
          ...(this.#problem === undefined ? {} : { problem: this.#problem }),
          octets,
          sha256,
        },
      }),
    );
    this.#ended({ seconds, exitCode, octets, problem: this.#problem });
  }

  #seconds(): number {
    return Math.round(performance.now() - this.#begunMs) / 1000;
  }
}

/** From the Status that the error channel carries at the end. */
function exitCodeInStatus(text: string): number | undefined {
  let status: unknown;
  try {
    status = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { status: word, details } = (status ?? {}) as {
    status?: unknown;
    details?: { causes?: readonly { reason?: unknown; message?: unknown }[] };
  };
  if (word === "Success") return 0;
  const cause = Array.isArray(details?.causes)
    ? details.causes.find(({ reason }) => reason === "ExitCode")
    : undefined;
  const code = Number(cause?.message);
  return cause !== undefined && Number.isInteger(code) ? code : undefined;
}
