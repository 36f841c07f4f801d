// One HTTP request of a client to a remote server, by both eras of the transport: messages that ask
// for nothing pass, judged calls wait on an open stream, and every message of the server is read
// before the client sees it.

import { wholeOf } from "../../../gateway/message/body-pieces.ts";
import type { Ending } from "../../../gateway/request/stages/stage.ts";
import { UpstreamError } from "../../../gateway/upstream/upstream-error.ts";
import { failureAnswer, unreadableAnswer } from "../../../protocols/mcp/refusal.ts";
import { serialiseEvent } from "../../../wire/jsonrpc/event-stream.ts";
import type { RequestMessage } from "../../../wire/jsonrpc/message.ts";
import type { McpSession } from "../judge/session.ts";
import type { RelayPatience } from "../stdio/patience.ts";
import { type CallVerdict, HeldCall, type WaitingCalls } from "./held-call.ts";
import { askRemote, type RemoteAnswer, type RemoteParts, type RemotePlace } from "./remote.ts";
import { shownAnswer, shownEvents } from "./shown-answer.ts";
import { sortMessage } from "./sorted-message.ts";

const BODY_MAX = 16 * 1024 * 1024;
const ANSWER_MAX = 64 * 1024 * 1024;

/** The parts that an exchange works with. */
export interface ExchangeParts {
  readonly gateway: RemoteParts;
  readonly session: McpSession;
  readonly place: RemotePlace;
  readonly patience: RelayPatience;
  readonly waiting: WaitingCalls;
  /** The server is not the one that the session is with, as its certificate has it. */
  onOther(): void;
}

/** A message on its way to the server. */
interface Sending {
  readonly body: string;
  /** The request that it is; undefined for what has no answer. */
  readonly asked?: RequestMessage | undefined;
  ended?(ending?: Ending): void;
}

/** Answers one request. */
export async function answerHttp(parts: ExchangeParts, request: Request): Promise<Response> {
  const { method, headers } = request;
  if (method === "GET" || method === "DELETE") return forward(parts, request, undefined);
  if (method !== "POST")
    return new Response("no such verb\n", { status: 405, headers: { allow: "GET, POST, DELETE" } });
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > BODY_MAX) return json(400, unreadableAnswer(null, "it is too long"));
  const sorted = sortMessage(bytes, headers, parts.session);
  switch (sorted.kind) {
    case "refused":
      return json(400, sorted.text);
    case "passed":
      return forward(parts, request, { body: sorted.text, asked: sorted.asked });
    case "cancelled":
      if (parts.waiting.cancel(scopeOf(parts, request), sorted.params))
        return new Response(null, { status: 202 });
      return forward(parts, request, { body: sorted.text });
    default:
      return judged(parts, request, sorted.asked, sorted.text);
  }
}

/** Clients of one session number their requests so that each number comes once. */
function scopeOf({ session }: ExchangeParts, { headers }: Request): string {
  return JSON.stringify([session.name, headers.get("mcp-session-id")]);
}

async function judged(
  parts: ExchangeParts,
  request: Request,
  asked: RequestMessage,
  body: string,
): Promise<Response> {
  const { signal, headers } = request;
  const call = new HeldCall(parts.session, asked, body);
  parts.waiting.add(scopeOf(parts, request), call);
  const leave = () => call.leave();
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  void call.verdict.then(() => signal.removeEventListener("abort", leave));
  const answered = (said: CallVerdict): Response | Promise<Response> =>
    said.kind === "answer"
      ? json(200, said.text)
      : forward(parts, request, { body, asked, ended: said.ended });
  const early = await call.early();
  if (early !== undefined) return answered(early);
  if (!call.hearsWords(headers.get("accept") ?? "")) return answered(await call.settled(parts.patience));
  return stream(heldStream(parts, request, call, { body, asked }));
}

/** The events that a client hears until somebody has decided, and then its answer. */
async function* heldStream(
  parts: ExchangeParts,
  request: Request,
  call: HeldCall,
  sending: Sending,
): AsyncGenerator<string | Uint8Array, void> {
  const said = yield* call.words(parts.patience);
  if (said.kind === "answer") {
    yield serialiseEvent({ data: said.text });
    return;
  }
  const response = await forward(parts, request, { ...sending, ended: said.ended });
  if (
    (response.headers.get("content-type") ?? "").startsWith("text/event-stream") &&
    response.body !== null
  ) {
    yield* response.body;
    return;
  }
  const text = (await response.text()).trim();
  // The status has been sent, so whatever it was, the client is owed an answer to its request.
  const data = text.startsWith("{")
    ? text
    : failureAnswer(sending.asked?.id ?? null, `the server answered ${response.status}`);
  yield serialiseEvent({ data });
}

/** Sends a message on, or the request of a client that only listens; gives the answer as the client may see it. */
async function forward(
  parts: ExchangeParts,
  request: Request,
  sending: Sending | undefined,
): Promise<Response> {
  const { method, headers, signal } = request;
  const body = sending === undefined ? {} : { body: sending.body };
  try {
    const asking = { method: sending === undefined ? method : "POST", headers, signal, ...body };
    const answer = await askRemote(parts.gateway, parts.place, parts.session.issuer, asking);
    return await passAnswer(parts, answer, request, sending ?? { body: "" });
  } catch (error) {
    if (error instanceof UpstreamError && error.failure === "unverified") parts.onOther();
    const reason = error instanceof Error ? error.message : String(error);
    sending?.ended?.({ failure: reason });
    return json(
      502,
      failureAnswer(sending?.asked?.id ?? null, `the server cannot be reached, or broke off: ${reason}`),
    );
  }
}

const KEPT = ["mcp-session-id", "mcp-protocol-version", "retry-after"];

async function passAnswer(
  parts: ExchangeParts,
  answer: RemoteAnswer,
  request: Request,
  sending: Sending,
): Promise<Response> {
  const { status } = answer;
  const { asked, ended } = sending;
  const headers = new Headers({ "cache-control": "no-store" });
  for (const name of KEPT) {
    const value = answer.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  const type = (answer.header("content-type") ?? "").toLowerCase();
  if (type.startsWith("text/event-stream") && status === 200)
    return stream(passedEvents(parts, answer, request, sending), headers);
  const id = asked?.id ?? null;
  const bytes = await wholeOf(answer.pieces, ANSWER_MAX);
  const isWhole = asked !== undefined && type.startsWith("application/json") && status === 200;
  if (!isWhole) {
    ended?.(status < 400 ? {} : { failure: `the server answered ${status}` });
    if (status === 401 || status === 403)
      return json(
        status,
        failureAnswer(id, `the server answered ${status}; give it a credential with: iddio mcp add --header`),
      );
    if (status >= 300 && status < 400)
      return json(502, failureAnswer(id, "the server redirects, which is not followed"));
  }
  // Octets that are no message are shown to nobody: they could be anything.
  const isEmpty = !isWhole && (bytes.length === 0 || status === 202 || status === 204);
  headers.set("content-type", isEmpty ? "text/plain" : "application/json");
  if (isEmpty) return new Response(null, { status, headers });
  const text = await shownAnswer(bytes, { session: parts.session, asked });
  if (isWhole) ended?.(text === undefined ? { failure: "its answer cannot be read" } : {});
  return new Response(
    text ??
      failureAnswer(
        id,
        status >= 400 ? `the server answered ${status}` : "the server's answer cannot be read",
      ),
    { status, headers },
  );
}

/** The events of a server, each read before it is passed on. */
async function* passedEvents(
  parts: ExchangeParts,
  answer: RemoteAnswer,
  request: Request,
  { asked, ended }: Sending,
): AsyncGenerator<string, void> {
  let isAnswered = false;
  try {
    isAnswered = yield* shownEvents(answer.pieces, {
      session: parts.session,
      asked,
      onLeave: (left) => request.signal.addEventListener("abort", left, { once: true }),
      tellServer: (body) =>
        void forward(parts, request, { body }).then((response) => response.body?.cancel()),
    });
  } finally {
    ended?.(isAnswered || asked === undefined ? {} : { failure: "the stream ended before the answer" });
  }
}

function json(status: number, body: string): Response {
  return new Response(body, {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });
}

/** A stream of events that is made as fast as its reader takes it, and no longer than it has one. */
function stream(pieces: AsyncGenerator<string | Uint8Array, void>, headers = new Headers()): Response {
  headers.set("content-type", "text/event-stream");
  headers.set("cache-control", "no-store");
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      // A stream that breaks ends: what was passed on were whole events.
      const { value, done } = await pieces.next().catch(() => ({ value: undefined, done: true }));
      if (done === true || value === undefined) controller.close();
      else controller.enqueue(typeof value === "string" ? encoder.encode(value) : value);
    },
    cancel() {
      void pieces.return().catch(() => undefined);
    },
  });
  return new Response(body, { headers });
}
