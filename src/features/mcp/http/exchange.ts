// One HTTP request of a client to a remote server, by both eras of the transport: messages that ask
// for nothing pass, judged calls wait on an open stream, and every message of the server is read
// before the client sees it.

import type { Ending } from "../../../gateway/request/stages/stage.ts";
import { isPlumbing } from "../../../protocols/mcp/call.ts";
import {
  headerProblem,
  mismatchAnswer,
  statelessVersion,
  type WaitingCall,
  waitingAnswer,
} from "../../../protocols/mcp/era.ts";
import {
  errorAnswer,
  INVALID_REQUEST,
  refusalAnswer,
  waitingRefusal,
} from "../../../protocols/mcp/refusal.ts";
import type { Refusal } from "../../../protocols/refused.ts";
import { serialiseEvent } from "../../../wire/jsonrpc/event-stream.ts";
import { isId, isObject, parseMessage, type RequestMessage } from "../../../wire/jsonrpc/message.ts";
import { withoutSealedState } from "../judge/sealed-state.ts";
import type { McpSession } from "../judge/session.ts";
import type { RelayPatience } from "../stdio/patience.ts";
import { exactOf } from "../stdio/relay.ts";
import { askRemote, type RemoteAnswer, type RemoteParts, type RemotePlace } from "./remote.ts";
import { shownAnswer, shownEvents } from "./shown-answer.ts";

const BODY_MAX = 16 * 1024 * 1024;
const ANSWER_MAX = 64 * 1024 * 1024;
/** A judgement that is here by then is answered without a stream. */
const AT_ONCE_MS = 300;

/** The parts that an exchange works with. */
export interface ExchangeParts {
  readonly gateway: RemoteParts;
  readonly session: McpSession;
  readonly place: RemotePlace;
  readonly patience: RelayPatience;
}

/** Answers one request. */
export async function answerHttp(parts: ExchangeParts, request: Request): Promise<Response> {
  const { method, headers, signal } = request;
  if (method === "GET" || method === "DELETE") {
    const answer = await askRemote(parts.gateway, parts.place, { method, headers, signal });
    return passAnswer(parts, answer, undefined, request);
  }
  if (method !== "POST")
    return new Response("no such verb\n", { status: 405, headers: { allow: "GET, POST, DELETE" } });
  const bytes = new Uint8Array(await request.arrayBuffer());
  const message =
    bytes.length > BODY_MAX ? ({ kind: "bad", problem: "it is too long" } as const) : parseMessage(bytes);
  if (message.kind === "bad")
    return json(
      400,
      errorAnswer(
        "id" in message ? (message.id ?? null) : null,
        INVALID_REQUEST,
        `iddio: ${message.problem}`,
      ),
    );
  if (message.kind === "response") return forward(parts, request, message.text, undefined);
  const problem = headerProblem((name) => headers.get(name), message.method, message.params);
  if (problem !== undefined)
    return json(400, mismatchAnswer(message.kind === "request" ? message.id : null, problem));
  if (message.kind === "notification")
    return message.method.startsWith("notifications/")
      ? forward(parts, request, message.text, undefined)
      : json(400, errorAnswer(null, INVALID_REQUEST, "iddio: a request needs an id"));
  return isPlumbing(message.method)
    ? forward(parts, request, message.text, message)
    : judged(parts, request, message);
}

type Verdict =
  | { readonly kind: "go"; ended(ending?: Ending): void }
  | { readonly kind: "refuse"; readonly refusal: Refusal }
  | ({ readonly kind: "parked" } & WaitingCall);

async function judged(parts: ExchangeParts, request: Request, message: RequestMessage): Promise<Response> {
  const { id, method, params, text } = message;
  const isStateless = statelessVersion(params) !== undefined;
  let settle: (verdict: Verdict) => void = () => {};
  const verdict = new Promise<Verdict>((resolve) => {
    settle = resolve;
  });
  const waiting = parts.session.judge(
    { method, params, ...exactOf(text) },
    {
      go: (ended) => settle({ kind: "go", ended }),
      refuse: (refusal) => settle({ kind: "refuse", refusal }),
    },
  );
  request.signal.addEventListener("abort", () => waiting.leave(), { once: true });
  if (request.signal.aborted) waiting.leave();
  const park = () => {
    const parked = waiting.park();
    if (parked !== undefined) settle({ kind: "parked", ...parked });
  };
  const early = await Promise.race([verdict, Bun.sleep(AT_ONCE_MS)]);
  const answerOf = (said: Exclude<Verdict, { kind: "go" }>): string => {
    if (said.kind === "refuse") return refusalAnswer(id, method, said.refusal, { isStateless });
    if (isStateless) return waitingAnswer(id, params, said);
    return refusalAnswer(id, method, waitingRefusal(method, params, said.approvalId), { waits: true });
  };
  if (early !== undefined) {
    if (early.kind !== "go") return json(200, answerOf(early));
    return forward(parts, request, withoutSealedState(text, params), message, early.ended);
  }
  if (isStateless || !(request.headers.get("accept") ?? "").includes("text/event-stream")) {
    const timer = setInterval(park, parts.patience.parkMs);
    const said = await verdict.finally(() => clearInterval(timer));
    if (said.kind !== "go") return json(200, answerOf(said));
    return forward(parts, request, withoutSealedState(text, params), message, said.ended);
  }
  return stream(async (send) => {
    const stop = keepWaiting(parts, message, send, park);
    const said = await verdict.finally(stop);
    if (said.kind !== "go") return send(serialiseEvent({ data: answerOf(said) }));
    const response = await forward(parts, request, text, message, said.ended);
    if ((response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
      for await (const piece of response.body ?? []) send(piece);
    } else send(serialiseEvent({ data: (await response.text()).trim() }));
  });
}

/** Word for a client that asked for it; for another a comment that keeps the connection, and after a while the advice. */
function keepWaiting(
  { patience }: ExchangeParts,
  { params }: RequestMessage,
  send: (text: string) => void,
  park: () => void,
): () => void {
  const token = isObject(params._meta) ? params._meta.progressToken : undefined;
  send(": iddio waits for a person\n\n");
  let progress = 0;
  const word = setInterval(() => {
    if (!isId(token)) return send(": waiting\n\n");
    progress += 0.001;
    const said = { progressToken: token, progress, message: "iddio: waiting for a person to approve it" };
    send(
      serialiseEvent({
        data: JSON.stringify({ jsonrpc: "2.0", method: "notifications/progress", params: said }),
      }),
    );
  }, patience.progressMs);
  const late = isId(token) ? undefined : setInterval(park, patience.parkMs);
  return () => {
    clearInterval(word);
    clearInterval(late);
  };
}

/** Sends a message on and gives the answer as the client may see it. */
async function forward(
  parts: ExchangeParts,
  request: Request,
  body: string,
  asked: RequestMessage | undefined,
  ended?: (ending?: Ending) => void,
): Promise<Response> {
  const { headers, signal } = request;
  try {
    const answer = await askRemote(parts.gateway, parts.place, { method: "POST", headers, body, signal });
    return await passAnswer(parts, answer, asked, request, ended);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    ended?.({ failure: reason });
    return json(
      502,
      errorAnswer(asked?.id ?? null, -32603, `iddio: the server cannot be reached: ${reason}`),
    );
  }
}

const KEPT = ["mcp-session-id", "mcp-protocol-version", "retry-after"];

async function passAnswer(
  parts: ExchangeParts,
  answer: RemoteAnswer,
  asked: RequestMessage | undefined,
  request: Request,
  ended?: (ending?: Ending) => void,
): Promise<Response> {
  const { status } = answer;
  const headers = new Headers({ "cache-control": "no-store" });
  for (const name of KEPT) {
    const value = answer.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  const type = answer.header("content-type") ?? "";
  if (type.startsWith("text/event-stream") && status === 200)
    return stream((send) => passEvents(parts, answer, asked, request, send, ended), headers);
  const bytes = await collect(answer.pieces);
  if (asked === undefined || !type.startsWith("application/json") || status !== 200) {
    ended?.(status < 400 ? {} : { failure: `the server answered ${status}` });
    if (status === 401 || status === 403)
      return json(
        status,
        errorAnswer(
          asked?.id ?? null,
          -32603,
          `iddio: the server answered ${status}; give it a credential with: iddio mcp add --header`,
        ),
      );
    if (status >= 300 && status < 400)
      return json(
        502,
        errorAnswer(asked?.id ?? null, -32603, "iddio: the server redirects, which is not followed"),
      );
    // Octets that are no message are shown to nobody: they could be anything.
    const isEmpty = bytes.length === 0 || status === 202 || status === 204;
    headers.set("content-type", isEmpty ? "text/plain" : "application/json");
    const shown = isEmpty ? null : await shownAnswer(bytes, { session: parts.session, asked });
    return new Response(shown ?? (isEmpty ? null : unreadable(asked)), { status, headers });
  }
  headers.set("content-type", "application/json");
  const text = await shownAnswer(bytes, { session: parts.session, asked });
  ended?.(text === undefined ? { failure: "its answer cannot be read" } : {});
  return new Response(text ?? unreadable(asked), { status, headers });
}

function unreadable(asked: RequestMessage | undefined): string {
  return errorAnswer(asked?.id ?? null, -32603, "iddio: the server's answer cannot be read");
}

/** The events of a server, each read before it is passed on. */
async function passEvents(
  parts: ExchangeParts,
  answer: RemoteAnswer,
  asked: RequestMessage | undefined,
  request: Request,
  send: (text: string) => void,
  ended?: (ending?: Ending) => void,
): Promise<void> {
  let isAnswered = false;
  try {
    const events = shownEvents(answer.pieces, {
      session: parts.session,
      asked,
      onLeave: (left) => request.signal.addEventListener("abort", left, { once: true }),
      tellServer: (body) =>
        void forward(parts, request, body, undefined).then((response) => response.body?.cancel()),
    });
    for (let next = await events.next(); ; next = await events.next()) {
      if (next.done === true) {
        isAnswered = next.value;
        return;
      }
      send(next.value);
    }
  } finally {
    ended?.(isAnswered || asked === undefined ? {} : { failure: "the stream ended before the answer" });
  }
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > ANSWER_MAX) throw new Error("the server's answer is too long");
    all.push(piece);
  }
  return Buffer.concat(all);
}

function json(status: number, body: string): Response {
  return new Response(body, {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
}

function stream(
  run: (send: (piece: string | Uint8Array) => void) => Promise<void>,
  headers = new Headers(),
): Response {
  headers.set("content-type", "text/event-stream");
  headers.set("cache-control", "no-store");
  const encoder = new TextEncoder();
  let isOver = false;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (piece: string | Uint8Array) => {
        if (!isOver) controller.enqueue(typeof piece === "string" ? encoder.encode(piece) : piece);
      };
      run(send)
        .catch(() => undefined)
        .finally(() => {
          if (!isOver) controller.close();
          isOver = true;
        });
    },
    cancel() {
      isOver = true;
    },
  });
  return new Response(body, { headers });
}
