// One request to an upstream over HTTP/2 and the head of its answer. The counterpart of
// upstream-http1.ts; a broken stream ends this request and no other on the connection.

import type { Header } from "../../model/request.ts";
import { H2_ERROR } from "../../wire/http2/connection.ts";
import { takesTrailers } from "../message/http1-message.ts";
import type { Http2Session } from "../message/http2-session.ts";
import type { Http2Stream } from "../message/http2-stream.ts";
import type { OutgoingRequest, UpstreamAnswer } from "../message/upstream-answer.ts";
import type { Lease } from "./lease.ts";
import { UpstreamError } from "./upstream-error.ts";

/** Fields that HTTP/2 has no place for (RFC 9113 8.2.2), those for one hop, and Host, which becomes :authority. */
const DROPPED = new Set([
  "connection",
  "host",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "http2-settings",
  "te",
  "transfer-encoding",
  "upgrade",
]);
const MAX_INTERIM = 32;

/**
 * Sends the request and resolves with the answer's head. Throws UpstreamError, or what broke the request's body.
 * The lease is the answer's to end.
 */
export async function requestHttp2(
  session: Http2Session,
  request: OutgoingRequest,
  lease: Lease,
): Promise<UpstreamAnswer> {
  const isEmpty = request.body.isDrained;
  const stream = open(session, request);
  lease.cutStream = () => stream.reset(H2_ERROR.CANCEL);
  let problem: unknown;
  if (!request.body.isDrained)
    void stream.sendBody(request.body).catch((error) => {
      problem = error;
      stream.reset(H2_ERROR.CANCEL);
    });
  for (let interim = 0; interim <= MAX_INTERIM; interim += 1) {
    const head = await stream.nextHead();
    if (head === undefined) throw problem ?? lost(stream, interim > 0, isEmpty);
    const status = Number(head.headers.find(([name]) => name === ":status")?.[1]);
    const headers = head.headers.filter(([name]) => !name.startsWith(":"));
    if (head.isInterim) {
      if (status !== 100 || request.awaitsContinue) request.interim(status, headers);
      continue;
    }
    return answerOf(request, stream, status, headers, lease);
  }
  stream.reset(H2_ERROR.ENHANCE_YOUR_CALM);
  throw new UpstreamError("broken", "the upstream sent too many interim answers", { hasAnswered: true });
}

function open(session: Http2Session, request: OutgoingRequest): Http2Stream {
  const fields: Header[] = [
    [":method", request.method],
    [":scheme", request.scheme],
    [":authority", request.authority],
    [":path", request.target],
  ];
  for (const [name, value] of request.headers) {
    const lower = name.toLowerCase();
    if (!DROPPED.has(lower) && isForUpstream(lower, request)) fields.push([lower, value]);
  }
  // gRPC servers insist on it.
  if (takesTrailers(request.headers)) fields.push(["te", "trailers"]);
  // Taken by others since it was chosen: nothing was sent, so any request may go elsewhere.
  if (!session.canOpen)
    throw new UpstreamError("unreachable", "the upstream takes no more streams", { wasUnprocessed: true });
  try {
    return session.open(fields, request.body.isDrained);
  } catch (error) {
    throw new UpstreamError("unwritable", "the request cannot be written as HTTP/2", { cause: error });
  }
}

/** Expect only says something while the client still waits. */
function isForUpstream(name: string, request: OutgoingRequest): boolean {
  return name !== "expect" || request.awaitsContinue;
}

function lost(stream: Http2Stream, hasAnswered: boolean, isEmpty: boolean): UpstreamError {
  // RFC 9113 8.7: a refused stream was not processed; the body of it may be gone all the same.
  const wasUnprocessed = stream.resetCode === H2_ERROR.REFUSED_STREAM && isEmpty && !hasAnswered;
  const why = `HTTP/2 code ${stream.resetCode}: ${stream.resetReason}`;
  return new UpstreamError("broken", `the upstream did not finish the request (${why})`, {
    hasAnswered,
    wasUnprocessed,
  });
}

function answerOf(
  request: OutgoingRequest,
  stream: Http2Stream,
  status: number,
  headers: readonly Header[],
  lease: Lease,
): UpstreamAnswer {
  return {
    status,
    statusText: "",
    headers,
    body: stream,
    upgraded: undefined,
    finish() {
      lease.forgetClient();
      if (!stream.isDrained || !request.body.isDrained) stream.reset(H2_ERROR.CANCEL);
    },
  };
}
