// Answers a client that `doctor --live` sent to a probe's name: shows it a leaf, reads its request,
// notes its classification, and sends a harmless answer. Nothing is judged, forwarded or recorded.

import type { RequestBody } from "../../model/request.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { parseRequestHead, serialiseResponseHead, type WireRequestHead } from "../../wire/http1/head.ts";
import { BodyError, BodySource } from "../message/body-source.ts";
import { HeadError, readHead } from "../message/read-head.ts";
import type { Gateway } from "../request/context.ts";
import type { Probe } from "../request/inspection/probes.ts";
import type { Channel } from "../stream/channel.ts";
import { PATIENCE } from "../stream/patience.ts";
import { HandshakeError, intercept } from "./intercept.ts";
import type { TunnelAnswers } from "./tunnel-answers.ts";

const CONTINUE = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");
const BODY_MAX = 64 * 1024;

/** Serves a CONNECT to a probe's name to its end. */
export async function serveProbe(
  gateway: Gateway,
  channel: Channel,
  probe: Probe,
  answers: TunnelAnswers,
): Promise<void> {
  probe.routed();
  answers.established();
  try {
    const secure = (await intercept(channel, probe.host, gateway.leaves, ["http/1.1"])).channel;
    try {
      while (await answerOne(secure, probe));
    } finally {
      secure.destroy();
    }
  } catch (error) {
    if (!(error instanceof HandshakeError || error instanceof HeadError || error instanceof BodyError))
      throw error;
    probe.failed(error.message);
  }
}

/** True when the client may send another request. */
async function answerOne(channel: Channel, probe: Probe): Promise<boolean> {
  const parse = (bytes: Uint8Array, seen: number) => parseRequestHead(bytes, undefined, seen);
  const patience = { firstByteMs: PATIENCE.probedRequestMs, wholeMs: PATIENCE.probedRequestMs };
  const head = await readHead(channel, parse, patience);
  if (head === undefined) {
    if (!probe.report.trusted)
      probe.failed("the client closed the connection right after the TLS handshake, without a request");
    return false;
  }
  const source = new BodySource(channel, head.framing);
  const bytes = await source.peek(BODY_MAX, () => head.expectContinue && channel.write(CONTINUE));
  note(probe, head, bytes);
  const keepAlive = source.isDone && head.keepAlive;
  const body = new TextEncoder().encode("{}\n");
  const answer = serialiseResponseHead({
    status: 200,
    statusText: "OK",
    headers: [
      ["Content-Type", "application/json"],
      ["Content-Length", String(head.method === "HEAD" ? 0 : body.length)],
      ...(keepAlive ? [] : [["Connection", "close"] as const]),
    ],
  });
  channel.write(head.method === "HEAD" ? answer : Buffer.concat([answer, body]));
  if (!keepAlive) channel.end();
  return keepAlive;
}

function note(probe: Probe, head: WireRequestHead, bytes: Uint8Array | undefined): void {
  const body: RequestBody =
    bytes === undefined
      ? { kind: "unread", why: "the body is too large for a probe" }
      : bytes.length === 0
        ? { kind: "none" }
        : { kind: "whole", bytes };
  const { protocol, standsFor: host } = probe;
  const request = { method: head.method, host, port: 443, target: head.target, headers: head.headers, body };
  const { tier, command } = classifierFor(protocol).classify(request);
  probe.requested({ method: head.method, path: head.target, tier, command });
}
