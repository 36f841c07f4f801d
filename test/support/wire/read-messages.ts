// Reads whole connections with the codec, for tests that compare it with another reader.

import type { Header } from "../../../src/model/request.ts";
import { BodyDecoder } from "../../../src/wire/http1/body.ts";
import { type Framing, parseRequestHead, parseResponseHead } from "../../../src/wire/http1/head.ts";
import { join, latin1 } from "./octets.ts";

/** One message as read; `whole` is false when the input ended inside it. */
export interface ReadMessage {
  readonly line: readonly string[];
  readonly version: string;
  readonly headers: readonly Header[];
  readonly whole: boolean;
  readonly body: string;
  readonly trailers: readonly Header[];
}

/** The messages of one connection, why reading stopped, and the octets that were not read. */
export interface ReadConnection {
  readonly messages: readonly ReadMessage[];
  readonly stop: "end" | "need-more" | "bad" | "close" | "tunnel";
  readonly reason: string;
  readonly rest: number;
}

interface Body {
  readonly ok: boolean;
  readonly reason: string;
  readonly whole: boolean;
  readonly body: string;
  readonly trailers: readonly Header[];
  readonly consumed: number;
}

function readBody(framing: Framing, bytes: Uint8Array): Body {
  const decoder = new BodyDecoder(framing);
  const step = decoder.push(bytes);
  if (step.kind === "bad")
    return { ok: false, reason: step.reason, whole: false, body: "", trailers: [], consumed: 0 };
  const whole = decoder.end() === "complete";
  return {
    ok: true,
    reason: "",
    whole,
    body: latin1(join(step.data)),
    trailers: step.trailers,
    consumed: step.consumed,
  };
}

/** Reads one client connection as a server on this codec does. */
export function readRequests(bytes: Uint8Array): ReadConnection {
  const messages: ReadMessage[] = [];
  let at = 0;
  for (;;) {
    const stopped = (stop: ReadConnection["stop"], reason = ""): ReadConnection => ({
      messages,
      stop,
      reason,
      rest: bytes.length - at,
    });
    if (at === bytes.length) return stopped("end");
    const result = parseRequestHead(bytes.subarray(at));
    if (result.kind === "need-more") return stopped("need-more");
    if (result.kind === "bad") return stopped("bad", result.reason);
    const head = result.value;
    at += result.length;
    const body = readBody(head.framing, bytes.subarray(at));
    if (!body.ok) return stopped("bad", body.reason);
    at += body.consumed;
    messages.push({
      ...body,
      line: [head.method, head.target],
      version: head.version,
      headers: head.headers,
    });
    if (!body.whole) return stopped("need-more");
    if (head.method === "CONNECT" || head.upgrade !== undefined) return stopped("tunnel");
    if (!head.keepAlive) return stopped("close");
  }
}

/** Reads one server connection, which answers one request and closes, as a client on this codec does. */
export function readResponse(bytes: Uint8Array, method: string): ReadConnection {
  const messages: ReadMessage[] = [];
  let at = 0;
  for (;;) {
    const stopped = (stop: ReadConnection["stop"], reason = ""): ReadConnection => ({
      messages,
      stop,
      reason,
      rest: bytes.length - at,
    });
    const result = parseResponseHead(bytes.subarray(at), method);
    if (result.kind === "need-more") return stopped("need-more");
    if (result.kind === "bad") return stopped("bad", result.reason);
    const head = result.value;
    at += result.length;
    const body = readBody(head.framing, bytes.subarray(at));
    if (!body.ok) return stopped("bad", body.reason);
    at += body.consumed;
    messages.push({
      ...body,
      line: [String(head.status), head.statusText],
      version: head.version,
      headers: head.headers,
    });
    if (head.status === 101) return stopped("tunnel");
    if (head.status >= 200) return stopped(body.whole ? "end" : "need-more");
  }
}
