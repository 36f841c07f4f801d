// One client socket from its first byte to its last, and the one catch of its life. Tells
// tunnels from plain requests; everything after that first head is for tunnel.ts and
// plain.ts. Whatever goes wrong here ends this connection and no other.

import { parseRequestHead, type WireRequestHead } from "../../wire/http1/head.ts";
import { HeadError, readHead } from "../message/read-head.ts";
import { answerShortly } from "../message/short-answer.ts";
import type { ClientOwner } from "../request/client-owner.ts";
import type { Gateway } from "../request/context.ts";
import { Channel } from "../stream/channel.ts";
import { lingeringClose } from "../stream/lingering-close.ts";
import { PATIENCE } from "../stream/patience.ts";
import type { TcpStream } from "../stream/tcp-stream.ts";
import { ClientGone } from "../upstream/forward.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { isCallback, serveCallback } from "./callbacks.ts";
import { HandshakeError } from "./intercept.ts";
import { servePlain } from "./plain.ts";
import { serveTunnel } from "./tunnel.ts";
import { TunnelAnswers } from "./tunnel-answers.ts";

/**
 * Serves one accepted connection. Never rejects; the connection is closed when it resolves. `caught` is where a program
 * in a run meant to go that knows of no proxy: the connection is a tunnel from its first byte.
 */
export async function serveConnection(
  gateway: Gateway,
  stream: TcpStream,
  owner: ClientOwner,
  caught?: string,
): Promise<void> {
  const channel = new Channel(stream);
  const answers = new TunnelAnswers(channel, caught);
  try {
    if (caught !== undefined)
      return await serveTunnel(gateway, channel, owner, { target: caught, headers: [] }, answers);
    let first = new Uint8Array(0);
    const parse = (bytes: Uint8Array, seen: number) => {
      const parsed = parseRequestHead(bytes, undefined, seen);
      if (parsed.kind === "ok" && owner.run !== undefined) first = bytes.slice(0, parsed.length);
      return parsed;
    };
    const patience = { firstByteMs: PATIENCE.connectionMs, wholeMs: PATIENCE.firstHeadMs };
    const head = await readHead(channel, parse, patience);
    if (head === undefined) return;
    if (owner.run !== undefined && isForUs(head)) {
      channel.unread(first);
      await gateway.runCalls.serve(channel, owner.run);
    } else await serveFirst(gateway, channel, owner, head);
  } catch (error) {
    await report(gateway, channel, answers, error);
  } finally {
    owner.close();
    channel.destroy();
  }
}

async function serveFirst(
  gateway: Gateway,
  channel: Channel,
  owner: ClientOwner,
  head: WireRequestHead,
): Promise<void> {
  if (head.method === "CONNECT") return serveTunnel(gateway, channel, owner, head);
  if (!isForUs(head)) return servePlain(gateway, channel, owner, head);
  const { callbacks } = gateway;
  if (callbacks !== undefined && isCallback(head)) return serveCallback(channel, head, callbacks);
  await answerShortly(
    channel,
    400,
    "this is iddio's proxy, not a web server; point HTTPS_PROXY at it (iddio shell-init)",
  );
}

/** Meant for the proxy itself, not for another host. */
function isForUs({ method, target }: WireRequestHead): boolean {
  return method !== "CONNECT" && (target.startsWith("/") || target === "*");
}

async function report(
  gateway: Gateway,
  channel: Channel,
  answers: TunnelAnswers,
  error: unknown,
): Promise<void> {
  if (error instanceof ClientGone) return;
  if (error instanceof HeadError) {
    gateway.log.warn("request not read", { status: error.status, reason: error.message });
    return answers.refuse(error.status, error.message);
  }
  if (error instanceof UpstreamError) {
    gateway.log.warn("upstream failed", { reason: error.message });
    return answers.refuse(error.status, error.message);
  }
  if (error instanceof HandshakeError) {
    gateway.log.warn("tls handshake failed", { host: error.host, reason: error.message });
    return;
  }
  // A programmer's mistake: this connection ends without an answer, which lets nothing through.
  gateway.log.error("connection failed", {
    reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  await lingeringClose(channel);
}
