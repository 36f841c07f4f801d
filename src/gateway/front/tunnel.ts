// A CONNECT: decides between splice and intercept, and sees to it that no spelling of the
// destination (name, address, SNI) gets a splice that another spelling would not.

import { overlayTokenOfRun } from "../../host/sandbox/run-token.ts";
import { headerValue } from "../../model/request.ts";
import { parseAuthority } from "../../wire/http1/connect-request.ts";
import type { WireRequestHead } from "../../wire/http1/head.ts";
import { type ClientHelloResult, parseClientHello } from "../../wire/tls/client-hello.ts";
import type { ClientOwner } from "../request/client-owner.ts";
import type { Gateway } from "../request/context.ts";
import { SSH_NAME_FIELD } from "../request/contracts/ssh-carrier.ts";
import type { Destination } from "../request/inspection/inspection.ts";
import type { Channel } from "../stream/channel.ts";
import { PATIENCE } from "../stream/patience.ts";
import { onSilentEnd } from "../stream/silent-end.ts";
import type { HttpVersion } from "../upstream/dial/dial.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { type Destined, serveHttp1 } from "./http1.ts";
import { type Http2ServerConnection, serveHttp2 } from "./http2.ts";
import { HandshakeError, intercept } from "./intercept.ts";
import { isLoop, isOwnPort } from "./loop.ts";
import { holdsProxyToken } from "./proxy-token.ts";
import { recordRefused, rethrowUnreached } from "./record-splice.ts";
import { refusedFromRun } from "./refused-from-run.ts";
import { serveProbe } from "./serve-probe.ts";
import { dialAndSplice, splice } from "./splice.ts";
import { type SpliceReason, spliceReason } from "./splice-reason.ts";
import { TunnelAnswers } from "./tunnel-answers.ts";

/** Serves a CONNECT to its end. Throws what connection.ts catches. */
export async function serveTunnel(
  gateway: Gateway,
  channel: Channel,
  owner: ClientOwner,
  head: Pick<WireRequestHead, "target" | "headers">,
  answers = new TunnelAnswers(channel, undefined),
): Promise<void> {
  const authority = parseAuthority(head.target);
  if (authority === undefined) return answers.refuse(400, "the CONNECT target is not host:port");
  const probe = gateway.probes.find(authority.host);
  if (probe) return serveProbe(gateway, channel, probe, answers);
  const unresolved: Destination = { ...authority, addresses: [], serverName: undefined };
  const addresses = await gateway.dialler.resolve(authority.host, authority.port).catch((error) => {
    // The operator's ssh may reach a host without an address here by a jump host.
    if (gateway.inspection.protocolsOf(unresolved).includes("ssh")) return [];
    return rethrowUnreached(gateway, owner, unresolved, error);
  });
  if (
    isLoop(gateway.listen, addresses, authority.port) ||
    isOwnPort(gateway.ownPorts, addresses, authority.port)
  )
    return answers.refuse(403, "the CONNECT target is iddio itself");
  const destination: Destination = { ...unresolved, addresses };
  const refused = refusedFromRun(owner.run, destination, gateway.trust.isRegistered);
  if (refused) {
    recordRefused(gateway, owner, destination, refused);
    return answers.refuse(403, refused);
  }
  const token = gateway.trust.proxyTokenOf(authority.host, authority.port);
  // The operator's token is not a run's, and a run's is good nowhere else: an agent can carry neither outside.
  const expected = token && owner.run ? overlayTokenOfRun(owner.run.tokenHash) : token;
  const mayUseIdentity = holdsProxyToken(head, expected);
  const sshName = headerValue(head.headers, SSH_NAME_FIELD) ?? "";
  const tunnel: Tunnel = { gateway, channel, answers, owner, destination, mayUseIdentity, sshName };
  if (spliceReason(gateway, destination) === undefined) return openInspected(tunnel);
  await openUninspected(tunnel);
}

interface Tunnel {
  readonly gateway: Gateway;
  readonly channel: Channel;
  readonly answers: TunnelAnswers;
  readonly owner: ClientOwner;
  readonly destination: Destination;
  /** The connection presented the token that the operator's overlay kubeconfig carries. */
  readonly mayUseIdentity: boolean;
  /** The operator's alias of the SSH host, if the client says it; empty otherwise. */
  readonly sshName: string;
}

/** The destination is inspected whatever the SNI says: nothing is dialled before a request was judged. */
async function openInspected(tunnel: Tunnel): Promise<void> {
  const { gateway, channel, answers, destination } = tunnel;
  answers.established();
  if (channel.buffered === 0 && !(await channel.moreWithin(PATIENCE.tunnelMs))) {
    if (!channel.isOver) throw new HandshakeError(destination.host, "the client said nothing in the tunnel");
    return;
  }
  if (gateway.inspection.protocolsOf(destination).includes("ssh")) {
    if (await beginsAsSsh(channel)) return serveSsh(tunnel);
    // Where nothing but SSH is judged, nothing else is let through.
    if (gateway.inspection.protocolsOf(destination).every((each) => each === "ssh"))
      return block(tunnel, "the client does not speak SSH, and the policy lists the host under ssh only");
  }
  const hello = await readClientHello(channel, PATIENCE.helloMs);
  if (hello === undefined)
    throw new HandshakeError(destination.host, "the client did not finish its TLS hello");
  if (hello.kind === "bad") return block(tunnel, `the TLS hello is malformed: ${hello.reason}`);
  if (hello.kind === "ok") {
    // Hosts that the detector lets pass are known only by their SNI.
    const named = withServerName(gateway, destination, hello.serverName);
    const reason = spliceReason(gateway, named);
    if (reason) return dialAndSplice(gateway, tunnel, named, reason);
    return serveIntercepted(tunnel, named, hello.alpn);
  }
  // Not TLS: plain HTTP is judged like any other; the codec refuses everything but HTTP.
  tunnel.owner.lookUpProcess();
  await serveOverHttp1(tunnel, channel, servedAs(tunnel, destination, false), false);
}

const SSH_BEGINS = new TextEncoder().encode("SSH-");

/** Whether the client's first bytes are those of SSH; leaves them in place. */
async function beginsAsSsh(channel: Channel): Promise<boolean> {
  const end = performance.now() + PATIENCE.helloMs;
  for (;;) {
    const bytes = channel.read();
    channel.unread(bytes);
    const size = Math.min(bytes.length, SSH_BEGINS.length);
    if (!bytes.subarray(0, size).every((byte, index) => byte === SSH_BEGINS[index])) return false;
    if (size === SSH_BEGINS.length) return true;
    if (!(await channel.moreWithin(end - performance.now()))) return false;
  }
}

/** Hands the connection to the feature that speaks SSH, as long as the policy has the host under ssh. */
async function serveSsh({ gateway, channel, owner, destination, sshName }: Tunnel): Promise<void> {
  const isStillRight = () => gateway.inspection.protocolsOf(destination).includes("ssh");
  const done = gateway.splices.track({ isStillRight, close: () => channel.destroy() });
  await gateway.ssh.serve({ channel, owner, destination, name: sshName }).finally(done);
}

/** The destination is not inspected unless the SNI says so: dial, pass the upstream's bytes on, and look at the hello. */
async function openUninspected(tunnel: Tunnel): Promise<void> {
  const { gateway, channel, answers, owner, destination } = tunnel;
  const upstream = await gateway.dialler
    .tcp({ ...destination, payer: owner })
    .catch((error) => rethrowUnreached(gateway, owner, destination, error));
  try {
    answers.established();
    // A server may speak first: its bytes must not wait for a hello that never comes.
    const stopForwarding = forwardUntilStopped(upstream, channel);
    const hello = gateway.mode.isInspecting ? await readClientHello(channel) : undefined;
    if (hello?.kind === "bad") return block(tunnel, `the TLS hello is malformed: ${hello.reason}`);
    const serverName = hello?.kind === "ok" ? hello.serverName : undefined;
    const whole = withServerName(gateway, destination, serverName);
    const { named, reason } = await looked(gateway, whole, hello?.kind === "ok");
    stopForwarding();
    if (reason) return await splice(gateway, tunnel, upstream, named, reason);
    upstream.destroy();
    // Only a hello gives a fresh start: any other connection whose host came to be inspected meanwhile has to
    // connect again.
    if (hello?.kind === "ok") await serveIntercepted(tunnel, named, hello.alpn);
  } finally {
    upstream.destroy();
  }
}

/** A destination that nothing inspects by name may be one by its certificate; the client's hello waits for that. */
async function looked(
  gateway: Gateway,
  destination: Destination,
  isTls: boolean,
): Promise<{ readonly named: Destination; readonly reason: SpliceReason | undefined }> {
  const { inspection, mode } = gateway;
  const reason = spliceReason(gateway, destination);
  if (!isTls || reason?.kind !== "uninspected" || !mode.isInspecting || !inspection.isWorthALook(destination))
    return { named: destination, reason };
  const shownNames = await gateway.shownNames.at(destination, destination.serverName);
  const named = shownNames.length === 0 ? destination : { ...destination, shownNames };
  return { named, reason: spliceReason(gateway, named) };
}

function forwardUntilStopped(upstream: Channel, channel: Channel): () => void {
  let isStopped = false;
  void (async () => {
    while (!isStopped && (await upstream.readable())) {
      if (isStopped) return;
      if (!channel.write(upstream.read())) await channel.flushed();
    }
    // A server that hangs up before the client said a word: pass the end on, or the client waits forever.
    if (!isStopped) channel.end();
  })();
  return () => {
    isStopped = true;
  };
}

type WholeHello = Exclude<ClientHelloResult, { kind: "need-more" }>;

/** Reads far enough to know the SNI, leaving every byte in place. Undefined: no more comes, or not within `ms`. */
async function readClientHello(channel: Channel, ms?: number): Promise<WholeHello | undefined> {
  const end = ms === undefined ? undefined : performance.now() + ms;
  for (;;) {
    const bytes = channel.read();
    const result = parseClientHello(bytes);
    channel.unread(bytes);
    if (result.kind !== "need-more") return result;
    const more = end === undefined ? channel.more() : channel.moreWithin(end - performance.now());
    if (!(await more)) return undefined;
  }
}

/** The same object where nothing is added: what was found about a destination is kept with it. */
function withServerName(
  { inspection }: Gateway,
  destination: Destination,
  serverName: string | undefined,
): Destination {
  if (serverName === undefined) return destination;
  const named = { ...destination, serverName };
  if (serverName === destination.host) inspection.findsTheSame(destination, named);
  return named;
}

async function serveIntercepted(
  tunnel: Tunnel,
  destination: Destination,
  offered: readonly string[],
): Promise<void> {
  const { gateway, channel } = tunnel;
  const { serverName } = destination;
  tunnel.owner.lookUpProcess();
  const served = servedAs(tunnel, destination, true);
  const versions = offered.includes("h2") ? await versionsOf(tunnel, served, offered) : HTTP1;
  // Asking the upstream may have shown that it cannot be intercepted; nothing of the hello is used up yet.
  const reason = spliceReason(gateway, destination);
  if (reason) return dialAndSplice(gateway, tunnel, destination, reason);
  const name = serverName ?? destination.host;
  const secure = await intercept(channel, name, gateway.leaves, versions, tunnel.owner).catch((error) => {
    if (error instanceof HandshakeError)
      gateway.detector.clientFailed(destination, error.message, error.isRefusal);
    throw error;
  });
  gateway.recorder.intercepted({
    host: destination.host,
    port: destination.port,
    ...(serverName === undefined || serverName === destination.host ? {} : { server_name: serverName }),
    http_version: secure.version === "h2" ? "2" : "1.1",
    ...(served.client ? { client: served.client } : {}),
  });
  onSilentEnd(secure.channel, () => gateway.detector.clientFailed(destination, SILENT, false));
  try {
    if (secure.version === "h2") await serveHttp2(gateway, { ...served, channel: secure.channel });
    else await serveOverHttp1(tunnel, secure.channel, served, true);
  } finally {
    if (secure.channel.hasReceived) gateway.detector.clientServed(destination);
    secure.channel.destroy();
  }
}

/** Some clients, Node's among them, look at the certificate only after the handshake. */
const SILENT = "the client closed the connection right after the TLS handshake, without a request";

const HTTP1 = ["http/1.1"] as const;
const BOTH = ["h2", "http/1.1"] as const;

/**
 * Chooses the versions to offer a client that could speak HTTP/2: those of its upstream, so that nothing
 * needs to be translated.
 */
async function versionsOf(
  { gateway }: Tunnel,
  served: Served,
  offered: readonly string[],
): Promise<readonly HttpVersion[]> {
  // A client that speaks nothing else is translated for.
  if (!offered.includes("http/1.1")) return BOTH;
  try {
    return (await gateway.pool.versionOf(served.upstream())) === "h2" ? BOTH : HTTP1;
  } catch (error) {
    // The request that follows fails for the same reason, and its refusal can name it.
    if (error instanceof UpstreamError) return BOTH;
    throw error;
  }
}

type Served = Omit<Http2ServerConnection, "channel">;

/** How requests on this tunnel are judged and forwarded. */
function servedAs(
  { gateway, owner, mayUseIdentity }: Tunnel,
  destination: Destination,
  isTls: boolean,
): Served {
  const { host, port, addresses, serverName } = destination;
  const names = new Set([host, serverName ?? host]);
  const lendsIdentity = isTls && mayUseIdentity && owner.isOwnUser;
  return {
    client: owner.identity,
    identity: lendsIdentity ? `${host}:${port}` : "",
    // An upstream over TLS is verified before anything is sent to it.
    lender: { isOwnUser: owner.isOwnUser, isVerified: isTls },
    destination,
    hostOf: (authority) => {
      const named = parseAuthority(authority, port);
      return named !== undefined && named.port === port && names.has(named.host) ? named.host : undefined;
    },
    upstream: gateway.trust.whileValid(() => ({
      host,
      port,
      addresses,
      serverName: isTls ? (gateway.trust.serverNameOf(host, port) ?? serverName ?? host) : undefined,
      trust: isTls ? gateway.trust.trustFor(host, port, lendsIdentity) : undefined,
      owner: owner.poolKey,
      payer: owner,
    })),
  };
}

async function serveOverHttp1(
  { gateway, destination }: Tunnel,
  channel: Channel,
  served: Served,
  isTls: boolean,
): Promise<void> {
  await serveHttp1(gateway, {
    channel,
    client: served.client,
    identity: served.identity,
    lender: served.lender,
    host: destination.host,
    port: destination.port,
    endMeansGone: isTls,
    destined: (head): Destined => {
      const target = originTarget(head, isTls ? "https" : "http");
      if (target === undefined)
        return { status: 400, reason: "the target is neither a path nor this host's URL" };
      const host = head.authority === undefined ? destination.host : served.hostOf(head.authority);
      if (host === undefined)
        return { status: 421, reason: "the Host field is not the host that was connected to" };
      return { destination: served.destination, host, target, upstream: served.upstream };
    },
  });
}

/** The target in origin form; an absolute one must name the same authority as Host. */
function originTarget(head: WireRequestHead, scheme: "http" | "https"): string | undefined {
  if (head.target.startsWith("/") || head.target === "*") return head.target;
  const prefix = `${scheme}://${head.authority ?? ""}/`;
  return head.target.startsWith(prefix) ? head.target.slice(prefix.length - 1) : undefined;
}

async function block({ gateway, channel, owner, destination }: Tunnel, reason: string): Promise<void> {
  const client = owner.identity;
  gateway.recorder.blocked({
    host: destination.host,
    port: destination.port,
    reason,
    ...(client ? { client } : {}),
  });
  channel.destroy();
}
