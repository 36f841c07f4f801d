// Requests to the remote servers of `mcp: inspect:`, on their way through the proxy: the client
// keeps the server's own address and its own credentials. Its calls are judged with the server's
// pins, and the server's answers are filtered as everywhere else. A request that is no message of
// MCP is judged as HTTP.

import type { Alteration } from "../../../gateway/message/alteration.ts";
import { piecesOf, wholeOf } from "../../../gateway/message/body-pieces.ts";
import { decodeContent } from "../../../gateway/message/content-coding.ts";
import type { BodyReader, UpstreamAnswer } from "../../../gateway/message/upstream-answer.ts";
import type { Gateway } from "../../../gateway/request/context.ts";
import type { McpCarrier } from "../../../gateway/request/contracts/mcp-carrier.ts";
import type { ClientRequest } from "../../../gateway/request/http/http-carrier.ts";
import { LookAheadShare } from "../../../gateway/request/http/look-ahead.ts";
import type { Ending } from "../../../gateway/request/stages/stage.ts";
import { UpstreamError } from "../../../gateway/upstream/upstream-error.ts";
import { type Header, headerValue } from "../../../model/request.ts";
import { isLogin } from "../../../protocols/mcp/classify.ts";
import { failureAnswer } from "../../../protocols/mcp/refusal.ts";
import { serialiseEvent } from "../../../wire/jsonrpc/event-stream.ts";
import { parseMessage, type RequestMessage } from "../../../wire/jsonrpc/message.ts";
import type { McpService } from "../judge/service.ts";
import type { McpSession } from "../judge/session.ts";
import { RELAY_PATIENCE, type RelayPatience } from "../stdio/patience.ts";
import { HeldCall, WaitingCalls } from "./held-call.ts";
import { serverAt } from "./server-at.ts";
import { type Listening, shownAnswer, shownEvents } from "./shown-answer.ts";
import { type SortedMessage, sortMessage } from "./sorted-message.ts";

const BODY_MAX = 16 * 1024 * 1024;
const ANSWER_MAX = 64 * 1024 * 1024;
const TELL_MS = 30_000;

/** The parts that it works with; functions, because it is made before these are. */
export interface InspectedParts {
  readonly gateway: () => Gateway;
  readonly service: () => McpService | undefined;
  readonly patience?: RelayPatience;
}

/** Serves the requests of inspected hosts. */
export class InspectedMcp implements McpCarrier {
  readonly #parts: InspectedParts;
  readonly #waiting = new WaitingCalls();

  constructor(parts: InspectedParts) {
    this.#parts = parts;
  }

  async serve(request: ClientRequest, asHttp: (request: ClientRequest) => Promise<void>): Promise<void> {
    const service = this.#parts.service();
    const where = serverAt(request.head);
    if (service === undefined || where === undefined || request.isUpgrade) return asHttp(request);
    try {
      await this.#serve(request, service, where, asHttp);
    } catch (error) {
      // It may be another server by now: then the next request finds out which.
      if (error instanceof UpstreamError && error.failure === "unverified") service.leaveRemote(where.name);
      throw error;
    }
  }

  async #serve(
    request: ClientRequest,
    service: McpService,
    where: { readonly name: string; readonly url: string },
    asHttp: (request: ClientRequest) => Promise<void>,
  ): Promise<void> {
    const { head } = request;
    const accept = headerValue(head.headers, "accept") ?? "";
    const isListening =
      (head.method === "GET" && accept.includes("text/event-stream")) ||
      (head.method === "DELETE" && headerValue(head.headers, "mcp-session-id") !== undefined);
    if (isListening) {
      const session = await this.#session(service, where, request);
      return request.forward(() => {}, shownTo({ request, session, asked: undefined }));
    }
    if (head.method !== "POST") return asHttp(request);
    const { lookAhead } = this.#parts.gateway();
    const share = new LookAheadShare(lookAhead, request.client);
    try {
      const raw = request.hasBody ? await share.peek(request, BODY_MAX) : undefined;
      const bytes = raw && decodeContent(head.headers, raw, BODY_MAX);
      if (bytes === undefined) return await asHttp(request);
      if (isLogin(head) && parseMessage(bytes).kind === "bad") return await asHttp(request);
      const session = await this.#session(service, where, request);
      await this.#message(request, session, sortMessage(bytes, head.headers, session));
    } finally {
      share.release();
    }
  }

  #session(
    service: McpService,
    where: { readonly name: string; readonly url: string },
    request: ClientRequest,
  ): Promise<McpSession> {
    return service.sessionOf(where, request.client, () => request.issuer());
  }

  async #message(request: ClientRequest, session: McpSession, sorted: SortedMessage): Promise<void> {
    if (sorted.kind === "refused") return this.#refuse(request, sorted.text, sorted.why);
    if (sorted.kind === "judged") return this.#judged(request, session, sorted.asked, sorted.text);
    if (sorted.kind === "cancelled" && this.#waiting.cancel(scopeOf(request, session), sorted.params))
      return request.refuse({ status: 202, headers: [], body: new Uint8Array(0) });
    const asked = sorted.kind === "passed" ? sorted.asked : undefined;
    await request.forward(() => {}, sending({ request, session, asked }, sorted.text));
  }

  async #judged(
    request: ClientRequest,
    session: McpSession,
    asked: RequestMessage,
    text: string,
  ): Promise<void> {
    const call = new HeldCall(session, asked, text);
    this.#waiting.add(scopeOf(request, session), call);
    const stopListening = request.onLeave(() => call.leave());
    void call.verdict.then(stopListening);
    const patience = this.#parts.patience ?? RELAY_PATIENCE;
    const early = await call.early();
    const accept = headerValue(request.head.headers, "accept") ?? "";
    if (early === undefined && call.hearsWords(accept))
      return request.answer(made(heldStream(request, session, asked, text, call, patience)));
    const said = early ?? (await call.settled(patience));
    if (said.kind === "answer") return request.refuse(reply(200, said.text));
    const ended = once(said.ended);
    try {
      await request.forward(
        (status) => (status < 400 ? undefined : ended({ failure: `the server answered ${status}` })),
        sending({ request, session, asked, ended }, text),
      );
    } finally {
      ended(UNKNOWN_OUTCOME);
    }
  }

  async #refuse(request: ClientRequest, text: string, reason: string): Promise<void> {
    const { head, client } = request;
    this.#parts.gateway().recorder.blocked({
      host: head.host,
      port: head.port,
      protocol: "mcp",
      method: head.method,
      status: 400,
      reason,
      ...(client ? { client } : {}),
    });
    await request.refuse(reply(400, text));
  }
}

const UNKNOWN_OUTCOME = { failure: "there was no answer; it may have been carried out" };

/** The first word about an ending counts. */
function once(tell: (ending?: Ending) => void): (ending: Ending) => void {
  let isTold = false;
  return (ending) => {
    if (!isTold) tell(ending);
    isTold = true;
  };
}

/** Clients of one session number their requests so that each number comes once. */
function scopeOf({ head, client }: ClientRequest, session: McpSession): string {
  const said = (name: string) => headerValue(head.headers, name) ?? "";
  return JSON.stringify([session.name, said("mcp-session-id"), said("authorization"), client?.run_id]);
}

/** The events that a client hears until somebody has decided, and then its answer. */
async function* heldStream(
  request: ClientRequest,
  session: McpSession,
  asked: RequestMessage,
  text: string,
  call: HeldCall,
  patience: RelayPatience,
): AsyncGenerator<string | Uint8Array, void> {
  const said = yield* call.words(patience);
  if (said.kind === "answer") {
    yield serialiseEvent({ data: said.text });
    return;
  }
  const ended = once(said.ended);
  try {
    const answer = await request.send(sending({ request, session, asked, ended }, text));
    const pieces = piecesOf(answer.body, () => answer.finish());
    if (isEventStream(answer)) {
      yield* pieces;
      return;
    }
    const found = Buffer.from(await wholeOf(pieces, ANSWER_MAX)).toString();
    if (answer.status >= 400) ended({ failure: `the server answered ${answer.status}` });
    // The status has been sent, so whatever it was, the client is owed an answer to its request.
    const isMessage = answer.status < 300 && found.startsWith("{");
    yield serialiseEvent({
      data: isMessage ? found : failureAnswer(asked.id, `the server answered ${answer.status}`),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    ended({ failure: reason });
    yield serialiseEvent({ data: failureAnswer(asked.id, `the server gave no answer: ${reason}`) });
  } finally {
    ended(UNKNOWN_OUTCOME);
  }
}

interface Shown {
  readonly request: ClientRequest;
  readonly session: McpSession;
  readonly asked: RequestMessage | undefined;
  ended?(ending: Ending): void;
}

/** A request as its server may get it, and the answer as the client may see it. */
function sending(shown: Shown, text: string): Alteration {
  const isAsItCame = text === shown.asked?.text || shown.asked === undefined;
  const body = isAsItCame ? undefined : { body: new TextEncoder().encode(text) };
  return { ...shownTo(shown), ...body };
}

/** The answer as the client may see it. It must come as it is: what is compressed cannot be read on its way. */
function shownTo(shown: Shown): Alteration {
  return {
    issuer: shown.session.issuer,
    fields: (headers) => [
      ...headers.filter(([name]) => name.toLowerCase() !== "accept-encoding"),
      ["Accept-Encoding", "identity"],
    ],
    answer: (answer) => shownOf(answer, shown),
  };
}

function isEventStream({ headers }: UpstreamAnswer): boolean {
  return (headerValue(headers, "content-type") ?? "").toLowerCase().startsWith("text/event-stream");
}

function shownOf(answer: UpstreamAnswer, shown: Shown): UpstreamAnswer {
  const type = (headerValue(answer.headers, "content-type") ?? "").toLowerCase();
  const coding = headerValue(answer.headers, "content-encoding") ?? "identity";
  const isEvents = isEventStream(answer);
  const isEmpty = answer.body.framing.kind === "none" || answer.status === 202 || answer.status === 204;
  // A refusal of the server's own, a login page: nothing that a client takes for a message.
  if (isEmpty || (!isEvents && !type.startsWith("application/json"))) {
    if (shown.asked !== undefined && answer.status < 300 && !isEmpty) {
      answer.finish();
      throw new UpstreamError("broken", "the server's answer is no message", { hasAnswered: true });
    }
    shown.ended?.({});
    return answer;
  }
  if (coding.toLowerCase() !== "identity") {
    answer.finish();
    throw new UpstreamError("broken", "the server's answer is compressed, which it was asked not to be", {
      hasAnswered: true,
    });
  }
  if (!isEvents && answer.status >= 400) return answer;
  const dropped = new Set(["content-length", "transfer-encoding", "trailer", "etag", "digest"]);
  return {
    status: answer.status,
    statusText: answer.statusText,
    headers: answer.headers.filter(([name]) => !dropped.has(name.toLowerCase())),
    upgraded: undefined,
    body: new MadeBody(isEvents ? events(answer, shown) : whole(answer, shown)),
    finish: () => answer.finish(),
  };
}

async function* events(answer: UpstreamAnswer, shown: Shown): AsyncGenerator<string, void> {
  const { request, session, asked } = shown;
  const leave = new Set<() => void>();
  const stop = request.onLeave(() => {
    for (const left of leave) left();
  });
  const listening: Listening = {
    session,
    asked,
    onLeave: (left) => leave.add(left),
    tellServer: (body) => void tell(request, session.issuer, body),
  };
  let isAnswered = false;
  try {
    isAnswered = yield* shownEvents(piecesOf(answer.body), listening);
  } finally {
    stop();
    shown.ended?.(isAnswered || asked === undefined ? {} : { failure: "the stream ended before the answer" });
  }
}

async function* whole(
  answer: UpstreamAnswer,
  { session, asked, ended }: Shown,
): AsyncGenerator<string, void> {
  const bytes = await wholeOf(piecesOf(answer.body), ANSWER_MAX);
  const text = bytes.length === 0 ? "" : await shownAnswer(bytes, { session, asked });
  ended?.(text === undefined ? { failure: "its answer cannot be read" } : {});
  yield text ?? failureAnswer(asked?.id ?? null, "the server's answer cannot be read");
}

/** Answers a request of the server, as the client would. */
async function tell(request: ClientRequest, issuer: string | undefined, body: string): Promise<void> {
  const { head } = request;
  const unwanted =
    /^(?:host|content-length|transfer-encoding|content-type|connection|expect|content-encoding)$/i;
  const headers: Header[] = [
    ...head.headers.filter(([name]) => !unwanted.test(name)),
    ["Content-Type", "application/json"],
  ];
  const signal = AbortSignal.timeout(TELL_MS);
  const call = { method: "POST", target: head.target, headers, body: new TextEncoder().encode(body) };
  await request.ask({ ...call, signal, octets: ANSWER_MAX, issuer }).catch(() => undefined);
}

function reply(status: number, text: string) {
  const headers: Header[] = [
    ["Content-Type", "application/json"],
    ["Cache-Control", "no-store"],
  ];
  return { status, headers, body: new TextEncoder().encode(text) };
}

/** An answer of events that are made while they are read. */
function made(texts: AsyncGenerator<string | Uint8Array, void>): UpstreamAnswer {
  const headers: Header[] = [
    ["Content-Type", "text/event-stream"],
    ["Cache-Control", "no-store"],
  ];
  return {
    status: 200,
    statusText: "OK",
    headers,
    upgraded: undefined,
    body: new MadeBody(texts),
    finish: () => void texts.return().catch(() => undefined),
  };
}

/** A body that is made while it is read. */
class MadeBody implements BodyReader {
  readonly framing = { kind: "chunked" } as const;
  readonly trailers: readonly Header[] = [];
  readonly #texts: AsyncGenerator<string | Uint8Array, void>;
  #isOver = false;

  constructor(texts: AsyncGenerator<string | Uint8Array, void>) {
    this.#texts = texts;
  }

  get isDone(): boolean {
    return this.#isOver;
  }

  get isDrained(): boolean {
    return this.#isOver;
  }

  async next(): Promise<readonly Uint8Array[] | undefined> {
    const { value, done } = await this.#texts.next();
    if (done !== true) return [typeof value === "string" ? new TextEncoder().encode(value) : value];
    this.#isOver = true;
    return undefined;
  }

  nextBuffered(): undefined {
    return undefined;
  }
}
