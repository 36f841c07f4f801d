// The command line's end of the control socket. Imported at every start of the program, `status
// --quiet` included, so it stays on fetch, which is there already, and imports nothing heavy.

import { UserError } from "../model/user-error.ts";
import {
  type CallMethod,
  type ControlMethod,
  type ControlMethods,
  METHODS,
  type StreamMethod,
} from "./methods.ts";

const CALL_TIMEOUT_MS = 10_000;
const MAX_ROW_CHARS = 8 * 1024 * 1024;

/** Nothing answers on the socket; what needs no daemon may go on without it. */
export class DaemonDown extends UserError {
  override readonly name = "DaemonDown";
}

/** Talks to the daemon behind one socket path. Every failure is a UserError. */
export class ControlClient {
  readonly #socketPath: string;
  readonly #timeoutMs: number;

  constructor(socketPath: string, options: { readonly timeoutMs?: number } = {}) {
    this.#socketPath = socketPath;
    this.#timeoutMs = options.timeoutMs ?? CALL_TIMEOUT_MS;
  }

  /** Calls a method and gives its output. */
  async call<M extends CallMethod>(
    method: M,
    input: ControlMethods[M]["input"],
  ): Promise<ControlMethods[M]["output"]> {
    const response = await this.#send(method, input, AbortSignal.timeout(this.#timeoutMs));
    return (await response.json().catch((cause: unknown) => {
      throw new UserError(`the program on '${this.#socketPath}' does not speak iddio's protocol`, { cause });
    })) as ControlMethods[M]["output"];
  }

  /** The rows of a stream until the daemon ends it or the signal does; leaving the loop closes the connection. */
  async *stream<M extends StreamMethod>(
    method: M,
    input: ControlMethods[M]["input"],
    signal?: AbortSignal,
  ): AsyncGenerator<ControlMethods[M]["output"], void, void> {
    const stop = new AbortController();
    signal?.addEventListener("abort", () => stop.abort(), { once: true });
    if (signal?.aborted === true) return;
    const response = await this.#send(method, input, stop.signal);
    const decoder = new TextDecoder();
    let text = "";
    try {
      for await (const chunk of response.body ?? []) {
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        const lines = text.split("\n");
        text = lines.pop() ?? "";
        if (text.length > MAX_ROW_CHARS) throw new UserError("the daemon sent a row without end");
        for (const line of lines) if (line !== "") yield JSON.parse(line) as ControlMethods[M]["output"];
      }
    } catch (error) {
      if (error instanceof UserError) throw error;
      if (stop.signal.aborted) return;
      throw new UserError("the daemon closed the connection", {
        hint: "see whether it runs: iddio status",
        cause: error,
      });
    } finally {
      stop.abort();
    }
  }

  async #send(method: ControlMethod, input: object, signal: AbortSignal): Promise<Response> {
    const { verb, path } = METHODS[method];
    const request: BunFetchRequestInit & { timeout: false } = {
      method: verb,
      unix: this.#socketPath,
      signal,
      // Bun ends a quiet response after five minutes unless told; a stream of events may well be quiet.
      timeout: false,
      headers: { accept: "application/json" },
    };
    if (verb === "POST") request.body = JSON.stringify(input);
    let response: Response;
    try {
      response = await fetch(`http://iddio${path}`, request);
    } catch (error) {
      throw this.#unreachable(error);
    }
    if (!response.ok) throw await refusal(response);
    return response;
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
    const clause = CONNECT_ERRORS[String(code)];
    if (clause === undefined) {
      return new UserError(`the daemon on '${this.#socketPath}' closed the connection`, {
        hint: "look at the end of its log: iddio.log beside the socket",
        cause: error,
      });
    }
    return new DaemonDown(`dial unix ${this.#socketPath}: connect: ${clause}`, {
      hint: "the daemon is not running; start it with: iddio gateway",
      cause: error,
    });
  }
}

/** errno texts as strerror(3) gives them, which is how the manual prints them. */
const CONNECT_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  ECONNREFUSED: "connection refused",
  EACCES: "permission denied",
  ENOTSOCK: "socket operation on non-socket",
};

async function refusal(response: Response): Promise<UserError> {
  const body = (await response.json().catch(() => ({}))) as {
    error?: unknown;
    hint?: unknown;
    exit_code?: unknown;
  };
  const message = typeof body.error === "string" ? body.error : `the daemon answered ${response.status}`;
  return new UserError(message, {
    ...(typeof body.hint === "string" ? { hint: body.hint } : {}),
    exitCode: body.exit_code === 2 ? 2 : 1,
  });
}
