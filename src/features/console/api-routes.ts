// The control API over HTTP for the console's pages: the same table, the same checks of input and
// output, the same gate as on the control socket. Only who calls is another: a session of the
// console. A method that makes sense from a program of this machine only is not offered.

import { valueProblem } from "../../api/check-value.ts";
import { errorReply } from "../../api/error-reply.ts";
import type { Gate } from "../../api/gate.ts";
import { type ControlHandlers, callHandler, isStream, type RowSink } from "../../api/handlers.ts";
import { type ControlMethod, entryOf } from "../../api/methods.ts";
import type { Principal } from "../../api/principal.ts";
import { admit } from "../../api/server/admit.ts";
import { methodAt } from "../../api/server/request-reader.ts";
import { RowQueue } from "../../api/server/row-queue.ts";
import { UserError } from "../../model/user-error.ts";

/**
 * Methods that the console does not have: they are about the process that calls, would make more sessions, or tell secrets
 * that a page never shows.
 */
export const NOT_IN_CONSOLE: ReadonlySet<ControlMethod> = new Set([
  "console_open",
  "runs_start",
  "hooks_judge",
  "probes_start",
  "probes_end",
  "undo_show",
]);

/** The daemon's parts that routes work with. */
export interface RouteParts {
  readonly handlers: () => ControlHandlers;
  readonly gate: Gate;
  /** Told about failures that are the daemon's own fault. */
  readonly onError: (error: unknown, method: string) => void;
}

/** A beat of a quiet stream, so that both ends learn when the other has gone. */
const BEAT_MS = 10_000;

/** Answers one call; `ended` is aborted when the session ends. */
export async function answerRoute(
  parts: RouteParts,
  request: Request,
  caller: Principal,
  ended: AbortSignal,
): Promise<Response> {
  const method = methodAt(request.method, new URL(request.url).pathname);
  if (typeof method === "number" || NOT_IN_CONSOLE.has(method))
    return json(typeof method === "number" ? method : 404, {
      error: "the console has no such method",
      code: "no-method",
    });
  try {
    const input = request.method === "POST" ? await inputOf(request) : {};
    const entry = entryOf(method);
    const problem = valueProblem(entry.input, input, "strict");
    if (problem !== undefined) return json(400, { error: `${method}: ${problem}`, code: "bad-input" });
    const proof = request.headers.get("iddio-proof") ?? undefined;
    const call = { method, entry, caller, input: input as object, proof };
    const admitted = await admit(call, parts.gate);
    const handlers = parts.handlers();
    if (isStream(method)) {
      const signal = AbortSignal.any([request.signal, ended]);
      return streamed(signal, (sink) => handlers[method](input as never, admitted, sink));
    }
    return json(200, await callHandler(handlers, method, input as object, admitted));
  } catch (error) {
    if (!(error instanceof UserError)) parts.onError(error, method);
    const { status, value } = errorReply(error);
    return json(status, value);
  }
}

/** A value as an answer. */
export function json(status: number, value: unknown): Response {
  return new Response(`${JSON.stringify(value)}\n`, {
    status,
    headers: { "content-type": "application/json" },
  });
}

async function inputOf(request: Request): Promise<unknown> {
  const text = await request.text();
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Sink = RowSink<unknown>;

/** Rows as they come, one JSON object a line. A reader that is slow loses the oldest and is told how many. */
function streamed(signal: AbortSignal, produce: (sink: Sink) => void | Promise<void>): Response {
  const queue = new RowQueue<unknown>();
  const encoder = new TextEncoder();
  const stop = new AbortController();
  const over = AbortSignal.any([signal, stop.signal]);
  let beat: ReturnType<typeof setInterval> | undefined;
  let wake = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      beat = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode("\n"));
      }, BEAT_MS);
      const close = () => {
        clearInterval(beat);
        wake();
        try {
          controller.close();
        } catch {
          // The reader has gone.
        }
      };
      over.addEventListener("abort", close, { once: true });
      // Something goes out at once, so that the page knows that it is connected.
      controller.enqueue(encoder.encode("\n"));
      const send = (row: unknown) => {
        queue.push(row);
        wake();
      };
      void Promise.resolve(produce({ send, onRow: () => undefined, signal: over })).then(() => stop.abort());
    },
    async pull(controller) {
      let row = queue.take();
      while (row === undefined && !over.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        row = queue.take();
      }
      if (row !== undefined && !over.aborted) controller.enqueue(encoder.encode(`${JSON.stringify(row)}\n`));
    },
    cancel() {
      clearInterval(beat);
      stop.abort();
    },
  });
  return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
}
