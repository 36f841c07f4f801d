// Requests to the remote servers of `mcp: inspect:`, on their way through the proxy: the client
// keeps the server's own address and its own credentials. Its calls are judged with the server's
// pins, and the server's answers are filtered as everywhere else. A request that is no message of
// MCP is judged as HTTP.

import { createHash } from "node:crypto";
import { type Alteration, altered } from "../../../gateway/message/alteration.ts";
import { BodyError } from "../../../gateway/message/body-source.ts";
import { decodeContent } from "../../../gateway/message/content-coding.ts";
import type { BodyReader, UpstreamAnswer } from "../../../gateway/message/upstream-answer.ts";
import type { Gateway } from "../../../gateway/request/context.ts";
import type { ClientRequest } from "../../../gateway/request/http/http-carrier.ts";
import { LookAheadShare } from "../../../gateway/request/http/look-ahead.ts";
import type { McpCarrier } from "../../../gateway/request/mcp-carrier.ts";
import type { Ending } from "../../../gateway/request/stages/stage.ts";
import { UpstreamError } from "../../../gateway/upstream/upstream-error.ts";
import { type Header, headerValue, type RequestHead } from "../../../model/request.ts";
import { isPlumbing } from "../../../protocols/mcp/call.ts";
import { isLogin } from "../../../protocols/mcp/classify.ts";
import {
  headerProblem,
  mismatchAnswer,
  statelessVersion,
  waitingAnswer,
} from "../../../protocols/mcp/era.ts";
import {
  errorAnswer,
  INVALID_REQUEST,
  refusalAnswer,
  waitingRefusal,
} from "../../../protocols/mcp/refusal.ts";
import type { Refusal } from "../../../protocols/refused.ts";
import { bracketed } from "../../../text/host-port.ts";
import { parseMessage, type RequestMessage } from "../../../wire/jsonrpc/message.ts";
import { splitTarget } from "../../../wire/path.ts";
import { withoutSealedState } from "../judge/sealed-state.ts";
import type { McpService } from "../judge/service.ts";
import type { McpSession } from "../judge/session.ts";
import { RELAY_PATIENCE, type RelayPatience } from "../stdio/patience.ts";
import { exactOf } from "../stdio/relay.ts";
import { type Listening, shownAnswer, shownEvents } from "./shown-answer.ts";

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

  constructor(parts: InspectedParts) {
    this.#parts = parts;
  }

  async serve(request: ClientRequest, asHttp: (request: ClientRequest) => Promise<void>): Promise<void> {
    const { head, client } = request;
    const service = this.#parts.service();
    const where = serverAt(head);
    const accept = headerValue(head.headers, "accept") ?? "";
    const isListening =
      (head.method === "GET" && accept.includes("text/event-stream")) ||
      (head.method === "DELETE" && headerValue(head.headers, "mcp-session-id") !== undefined);
    if (service === undefined || where === undefined || request.isUpgrade) return asHttp(request);
    if (isListening) {
      const session = service.sessionOf(where, client);
      return request.forward(() => {}, shownTo({ request, session, asked: undefined }));
    }
    if (head.method !== "POST") return asHttp(request);
    const { lookAhead } = this.#parts.gateway();
    const share = new LookAheadShare(lookAhead, client);
    try {
      const raw = request.hasBody ? await share.peek(request, BODY_MAX) : undefined;
      const bytes = raw && decodeContent(head.headers, raw, BODY_MAX);
      if (bytes === undefined) return await asHttp(request);
      const message = parseMessage(bytes);
      if (message.kind === "bad" && isLogin(head)) return await asHttp(request);
      await this.#message(request, service.sessionOf(where, client), message, raw !== bytes);
    } finally {
      share.release();
    }
  }

  async #message(
    request: ClientRequest,
    session: McpSession,
    message: ReturnType<typeof parseMessage>,
    isCoded: boolean,
  ): Promise<void> {
    if (message.kind === "bad") {
      const id = message.id ?? null;
      return this.#refuse(
        request,
        400,
        errorAnswer(id, INVALID_REQUEST, `iddio: ${message.problem}`),
        message.problem,
      );
    }
    if (message.kind === "response")
      return request.forward(() => {}, shownTo({ request, session, asked: undefined }));
    const header = (name: string) => headerValue(request.head.headers, name) ?? null;
    const problem = headerProblem(header, message.method, message.params);
    if (problem !== undefined)
      return this.#refuse(
        request,
        400,
        mismatchAnswer(message.kind === "request" ? message.id : null, problem),
        problem,
      );
    if (message.kind === "notification") {
      if (message.method.startsWith("notifications/"))
        return request.forward(() => {}, shownTo({ request, session, asked: undefined }));
      const why = "a request needs an id";
      return this.#refuse(request, 400, errorAnswer(null, INVALID_REQUEST, `iddio: ${why}`), why);
    }
    if (isPlumbing(message.method))
      return request.forward(() => {}, shownTo({ request, session, asked: message }));
    await this.#judged(request, session, message, isCoded);
  }

  async #judged(
    request: ClientRequest,
    session: McpSession,
    message: RequestMessage,
    isCoded: boolean,
  ): Promise<void> {
    const { id, method, params, text } = message;
    const isStateless = statelessVersion(params) !== undefined;
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    const waiting = session.judge(
      { method, params, ...exactOf(text) },
      {
        go: (ended) => resolve({ kind: "go", ended }),
        refuse: (refusal) =>
          resolve({ kind: "answer", text: refusalAnswer(id, method, refusal, { isStateless }) }),
      },
    );
    const stopListening = request.onLeave(() => waiting.leave());
    const { parkMs } = this.#parts.patience ?? RELAY_PATIENCE;
    const timer = setInterval(() => {
      const parked = waiting.park();
      if (parked === undefined) return;
      const refusal: Refusal = waitingRefusal(method, params, parked.approvalId);
      resolve({
        kind: "answer",
        text: isStateless
          ? waitingAnswer(id, params, parked)
          : refusalAnswer(id, method, refusal, { waits: true }),
      });
    }, parkMs);
    const said = await promise;
    clearInterval(timer);
    stopListening();
    if (said.kind === "answer") return request.refuse(reply(200, said.text));
    const sent = withoutSealedState(text, params);
    let isAnswered = false;
    const ended = (ending: Ending) => {
      isAnswered = true;
      said.ended(ending);
    };
    try {
      await request.forward(
        (status) => (status < 400 ? undefined : ended({ failure: `the server answered ${status}` })),
        altered(
          sent === text || isCoded ? undefined : { body: new TextEncoder().encode(sent) },
          shownTo({ request, session, asked: message, ended }),
        ),
      );
    } finally {
      if (!isAnswered) said.ended({ failure: "there was no answer; it may have been carried out" });
    }
  }

  async #refuse(request: ClientRequest, status: number, text: string, reason: string): Promise<void> {
    const { head, client } = request;
    this.#parts.gateway().recorder.blocked({
      host: head.host,
      port: head.port,
      protocol: "mcp",
      method: head.method,
      status,
      reason,
      ...(client ? { client } : {}),
    });
    await request.refuse(reply(status, text));
  }
}

type Verdict =
  | { readonly kind: "go"; ended(ending?: Ending): void }
  | { readonly kind: "answer"; readonly text: string };

/** The name and address of the server behind a request: its host, and its path where that is not a usual one. */
export function serverAt({ host, port, target }: RequestHead): { name: string; url: string } | undefined {
  const { path } = splitTarget(target);
  if (path.length > 1_000) return undefined;
  const plain = path.replace(/\/+$/, "");
  const parts = [
    host.replace(/^[^a-z0-9]+/, "").replace(/[^a-z0-9._-]+/g, "-"),
    ...(port === 443 || port === 80 ? [] : [String(port)]),
    ...(plain === "" || plain === "/mcp"
      ? []
      : [
          plain
            .toLowerCase()
            .replace(/[^a-z0-9._]+/g, "-")
            .replace(/^-/, ""),
        ]),
  ];
  const whole = parts.join("-");
  const digest = createHash("sha256").update(`${host}:${port}${plain}`).digest("hex").slice(0, 8);
  const isPlain = /^[a-z0-9._/-]*$/.test(plain) && !plain.slice(1).includes("/");
  const name = whole.length <= 64 && isPlain ? whole : `${whole.slice(0, 55)}-${digest}`;
  return { name, url: `https://${bracketed(host)}${port === 443 ? "" : `:${port}`}${plain}` };
}

interface Shown {
  readonly request: ClientRequest;
  readonly session: McpSession;
  readonly asked: RequestMessage | undefined;
  ended?(ending: Ending): void;
}

/** The answer as the client may see it. It must come uncompressed, so that it can be read on its way. */
function shownTo(shown: Shown): Alteration {
  return {
    fields: (headers) => [
      ...headers.filter(([name]) => name.toLowerCase() !== "accept-encoding"),
      ["Accept-Encoding", "identity"],
    ],
    answer: (answer) => shownOf(answer, shown),
  };
}

function shownOf(answer: UpstreamAnswer, shown: Shown): UpstreamAnswer {
  const type = (headerValue(answer.headers, "content-type") ?? "").toLowerCase();
  const coding = headerValue(answer.headers, "content-encoding") ?? "identity";
  const isEvents = type.startsWith("text/event-stream");
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

async function* events(answer: UpstreamAnswer, shown: Shown): AsyncGenerator<string> {
  const { request, session, asked } = shown;
  const leave = new Set<() => void>();
  const stop = request.onLeave(() => {
    for (const left of leave) left();
  });
  const listening: Listening = {
    session,
    asked,
    onLeave: (left) => leave.add(left),
    tellServer: (body) => void tell(request, body),
  };
  let isAnswered = false;
  try {
    isAnswered = yield* shownEvents(piecesOf(answer.body), listening);
  } finally {
    stop();
    shown.ended?.(isAnswered || asked === undefined ? {} : { failure: "the stream ended before the answer" });
  }
}

async function* whole(answer: UpstreamAnswer, { session, asked, ended }: Shown): AsyncGenerator<string> {
  const all: Uint8Array[] = [];
  let size = 0;
  for await (const piece of piecesOf(answer.body)) {
    size += piece.length;
    if (size > ANSWER_MAX) throw new BodyError("the server's answer is too long");
    all.push(piece);
  }
  const text = size === 0 ? "" : await shownAnswer(Buffer.concat(all), { session, asked });
  ended?.(text === undefined ? { failure: "its answer cannot be read" } : {});
  yield text ?? errorAnswer(asked?.id ?? null, -32603, "iddio: the server's answer cannot be read");
}

async function* piecesOf(body: BodyReader): AsyncGenerator<Uint8Array> {
  for (let pieces = await body.next(); pieces !== undefined; pieces = await body.next())
    // Views of a buffer that is used again.
    for (const piece of pieces) yield new Uint8Array(piece);
}

/** Answers a request of the server, as the client would. */
async function tell({ head, ask }: ClientRequest, body: string): Promise<void> {
  const unwanted =
    /^(?:host|content-length|transfer-encoding|content-type|connection|expect|content-encoding)$/i;
  const headers: Header[] = [
    ...head.headers.filter(([name]) => !unwanted.test(name)),
    ["Content-Type", "application/json"],
  ];
  const signal = AbortSignal.timeout(TELL_MS);
  const call = { method: "POST", target: head.target, headers, body: new TextEncoder().encode(body) };
  await ask({ ...call, signal, octets: ANSWER_MAX }).catch(() => undefined);
}

function reply(status: number, text: string) {
  const headers: Header[] = [
    ["Content-Type", "application/json"],
    ["Cache-Control", "no-store"],
  ];
  return { status, headers, body: new TextEncoder().encode(text) };
}

/** A body that is made while it is read. */
class MadeBody implements BodyReader {
  readonly framing = { kind: "chunked" } as const;
  readonly trailers: readonly Header[] = [];
  readonly #texts: AsyncGenerator<string>;
  #isOver = false;

  constructor(texts: AsyncGenerator<string>) {
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
    if (done !== true) return [new TextEncoder().encode(value)];
    this.#isOver = true;
    return undefined;
  }

  nextBuffered(): undefined {
    return undefined;
  }
}
