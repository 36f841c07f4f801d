// The command line's end of the control socket. Imported at every start of the program, so it
// imports nothing heavy: the table of methods is loaded for the first call, and not at all for a
// caller that hands over its method's entry.

import { UserError } from "../model/user-error.ts";
import { NdjsonDecoder } from "../wire/ndjson.ts";
import { valueProblem } from "./check-value.ts";
import { PresenceNeeded, type PresenceQuestion } from "./gate.ts";
import { callLocal, type LocalAddress, type LocalAnswer } from "./local-call.ts";
import type { AnyMethod } from "./method.ts";
import type { CallMethod, ControlMethod, ControlMethods, StreamMethod } from "./methods.ts";

const CALL_TIMEOUT_MS = 10_000;
const MAX_ROW_BYTES = 8 * 1024 * 1024;

/**
 * The sandbox of `iddio run` shows this file, with the address at which agents may call the methods that are
 * made for them.
 */
export const ADDRESS_IN_RUN = "/run/iddio/api";

/** Nothing answers on the socket; what needs no daemon may go on without it. */
export class DaemonDown extends UserError {
  override readonly name = "DaemonDown";
}

/** The daemon ended a stream that was to go on. */
export class StreamEnded extends UserError {
  override readonly name = "StreamEnded";

  constructor(cause?: unknown) {
    super("the daemon has stopped", { hint: "check with: iddio status", cause });
  }
}

/** Talks to the daemon behind one socket path. Every failure is a UserError. */
export class ControlClient {
  readonly #socketPath: string;
  readonly #timeoutMs: number;
  readonly #prove: Prover | undefined;

  constructor(socketPath: string, options: { readonly timeoutMs?: number; readonly prove?: Prover } = {}) {
    this.#socketPath = socketPath;
    this.#prove = options.prove;
    this.#timeoutMs = options.timeoutMs ?? CALL_TIMEOUT_MS;
  }

  /** Calls a method and gives its output. `entry` is the method's, for callers that start too often to load them all. */
  async call<M extends CallMethod>(
    method: M,
    input: ControlMethods[M]["input"],
    entry?: AnyMethod,
  ): Promise<ControlMethods[M]["output"]> {
    const known = entry ?? (await entryFor(method));
    const response = await this.#ask(known, input);
    const output: unknown = await jsonOf(response).catch((cause: unknown) => {
      throw new UserError(`the program on '${this.#socketPath}' does not speak iddio's protocol`, { cause });
    });
    const problem = valueProblem(known.output, output, "open");
    if (problem !== undefined)
      throw new UserError(`the daemon's answer to '${method}' cannot be read: ${problem}`, {
        hint: "daemon and command may be of different versions; see: iddio status, iddio version",
      });
    return output as ControlMethods[M]["output"];
  }

  /**
   * The rows of a stream until the signal ends it, or the daemon does when it was not to follow. Leaving the
   * loop closes the connection.
   */
  async *stream<M extends StreamMethod>(
    method: M,
    input: ControlMethods[M]["input"],
    signal?: AbortSignal,
    entry?: AnyMethod,
  ): AsyncGenerator<ControlMethods[M]["output"], void, void> {
    const stop = new AbortController();
    signal?.addEventListener("abort", () => stop.abort(), { once: true });
    if (signal?.aborted === true) return;
    const response = await this.#send(entry ?? (await entryFor(method)), input, stop.signal);
    const decoder = new NdjsonDecoder(MAX_ROW_BYTES);
    try {
      for await (const chunk of response.body) {
        for (const row of decoder.push(chunk)) yield row as ControlMethods[M]["output"];
        if (decoder.problem !== undefined)
          throw new UserError(`the daemon sent a bad row: ${decoder.problem}`);
      }
      if ("follow" in input && input.follow && !stop.signal.aborted) throw new StreamEnded();
    } catch (error) {
      if (error instanceof UserError) throw error;
      if (!stop.signal.aborted) throw new StreamEnded(error);
    } finally {
      stop.abort();
    }
  }

  /** Sends a call, and again with a proof as long as the daemon asks for one and there is somebody to give it. */
  async #ask(method: AnyMethod, input: object): Promise<LocalAnswer> {
    let proof: string | undefined;
    for (;;) {
      try {
        return await this.#send(method, input, AbortSignal.timeout(this.#timeoutMs), proof);
      } catch (error) {
        const question = error instanceof PresenceNeeded ? error.question : undefined;
        if (question === undefined || this.#prove === undefined) throw error;
        const next = await this.#prove(question, proof);
        if (next === undefined) throw error;
        proof = next;
      }
    }
  }

  async #send(
    { verb, path }: AnyMethod,
    input: object,
    signal: AbortSignal,
    proof?: string,
  ): Promise<LocalAnswer> {
    const request = {
      verb,
      path,
      headers: { accept: "application/json", ...(proof === undefined ? {} : { "iddio-proof": proof }) },
      body: verb === "POST" ? JSON.stringify(input) : undefined,
    };
    let answer: LocalAnswer;
    try {
      answer = await callLocal({ unix: this.#socketPath }, request, signal);
    } catch (error) {
      const inside = (error as { code?: unknown }).code === "ENOENT" ? await addressInRun() : undefined;
      if (inside === undefined) throw this.#unreachable(error);
      answer = await callLocal(inside, request, signal).catch((cause: unknown) => {
        if (signal.aborted) throw this.#unreachable(cause);
        throw new DaemonDown("the gateway outside of the sandbox does not answer", {
          hint: "start it outside, in another terminal: iddio gateway",
          cause,
        });
      });
    }
    if (answer.status < 200 || answer.status > 299) throw await refusal(answer);
    return answer;
  }

  #unreachable(error: unknown): UserError {
    const code = (error as { code?: unknown }).code;
    const name = (error as { name?: unknown }).name;
    if (name === "TimeoutError") {
      return new UserError(`the daemon on '${this.#socketPath}' does not answer`, {
        hint: "look at the end of its log, then restart it",
        cause: error,
      });
    }
    if (code === "EACCES" || code === "EPERM")
      return new UserError(`the socket '${this.#socketPath}' may not be used by you: permission denied`, {
        hint: "it is another user's daemon: type the same as that user, or unset IDDIO_HOME for your own",
        cause: error,
      });
    const clause = CONNECT_ERRORS[String(code)];
    if (clause === undefined) {
      return new UserError(`the daemon on '${this.#socketPath}' closed the connection`, {
        hint: "look at the end of its log: iddio.log beside the socket",
        cause: error,
      });
    }
    return new DaemonDown(`dial unix ${this.#socketPath}: connect: ${clause}`, {
      hint: `the daemon is not running; start it with: ${startCommand(this.#socketPath)}`,
      cause: error,
    });
  }
}

async function entryFor(method: ControlMethod): Promise<AnyMethod> {
  return (await import("./methods.ts")).METHODS[method] as AnyMethod;
}

/**
 * Where a program in `iddio run` reaches the daemon; undefined outside of a run. The file is in a folder that only root
 * or the sandbox makes, so that no variable leads a person's command elsewhere.
 */
async function addressInRun(): Promise<LocalAddress | undefined> {
  const text = await Bun.file(ADDRESS_IN_RUN)
    .text()
    .catch(() => "");
  const port = /^http:\/\/127\.0\.0\.1:(\d{1,5})$/.exec(text.trim())?.[1];
  return port === undefined ? undefined : { hostname: "127.0.0.1", port: Number(port) };
}

async function jsonOf({ body }: LocalAnswer): Promise<unknown> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of body) text += decoder.decode(piece, { stream: true });
  return JSON.parse(text + decoder.decode());
}

/** Gives the proof that a question asks for; `last` was sent before and did not do. Undefined when there is none to give. */
export type Prover = (question: PresenceQuestion, last: string | undefined) => Promise<string | undefined>;

function isQuestion(value: unknown): value is PresenceQuestion {
  return typeof value === "object" && value !== null && "ask" in value;
}

/** The command that starts the daemon of this socket: only root starts the system's. */
export function startCommand(socketPath: string): string {
  return socketPath.startsWith("/var/lib/iddio/") ? "sudo iddio gateway" : "iddio gateway";
}

/** errno texts as strerror(3) gives them, which is how the manual prints them. */
const CONNECT_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  ECONNREFUSED: "connection refused",
  ENOTSOCK: "socket operation on non-socket",
};

async function refusal(response: LocalAnswer): Promise<UserError> {
  const body = (await jsonOf(response).catch(() => ({}))) as {
    error?: unknown;
    hint?: unknown;
    exit_code?: unknown;
    code?: unknown;
    presence?: unknown;
  };
  const message = typeof body.error === "string" ? body.error : `the daemon answered ${response.status}`;
  if (body.code === "needs-presence")
    return new PresenceNeeded(message, {
      hint: typeof body.hint === "string" ? body.hint : "see: iddio guard status",
      ...(isQuestion(body.presence) ? { question: body.presence } : {}),
    });
  return new UserError(message, {
    ...(typeof body.hint === "string" ? { hint: body.hint } : {}),
    exitCode: body.exit_code === 2 ? 2 : 1,
    ...(typeof body.code === "string" ? { code: body.code } : {}),
  });
}
