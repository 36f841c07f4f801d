// Plain HTTP by absolute-form requests (HTTP_PROXY). Each request names its own destination and is
// judged like one inside a tunnel; a request that is not inspected is forwarded as it is.

import { parseAbsoluteTarget, parseAuthority } from "../../wire/http1/connect-request.ts";
import type { WireRequestHead } from "../../wire/http1/head.ts";
import type { ClientOwner } from "../request/client-owner.ts";
import type { Gateway } from "../request/context.ts";
import type { Destination } from "../request/inspection/inspection.ts";
import type { Channel } from "../stream/channel.ts";
import { type Destined, type Http1Connection, serveHttp1, serveRequest } from "./http1.ts";
import { isLoop, isOwnPort } from "./loop.ts";
import { recordRefused, rethrowUnreached } from "./record-splice.ts";
import { refusedFromRun } from "./refused-from-run.ts";

/** Serves absolute-form requests, `first` being read already. */
export async function servePlain(
  gateway: Gateway,
  channel: Channel,
  owner: ClientOwner,
  first: WireRequestHead,
): Promise<void> {
  const named = parseAbsoluteTarget(first.target);
  const connection: Http1Connection = {
    channel,
    client: owner.identity,
    identity: "",
    lender: { isOwnUser: owner.isOwnUser, isVerified: false },
    host: named?.host ?? "",
    port: named?.port ?? 80,
    endMeansGone: false,
    // A request that is passed through shows only its host and port, as in a tunnel.
    mayTell: (head) => isInspected(gateway, head),
    destined: (head) => destinedBy(gateway, owner, head),
  };
  if (await serveRequest(gateway, connection, first)) await serveHttp1(gateway, connection);
}

function isInspected({ inspection }: Gateway, { target }: WireRequestHead): boolean {
  const named = parseAbsoluteTarget(target);
  if (named === undefined) return false;
  const { host, port } = named;
  return inspection.protocolsOf({ host, port, addresses: [], serverName: undefined }).length > 0;
}

async function destinedBy(gateway: Gateway, owner: ClientOwner, head: WireRequestHead): Promise<Destined> {
  const named = parseAbsoluteTarget(head.target);
  if (named === undefined || named.scheme !== "http")
    return { status: 400, reason: "the target of a request to the proxy must be an http:// URL" };
  const authority = head.authority === undefined ? named : parseAuthority(head.authority, 80);
  if (authority === undefined || authority.host !== named.host || authority.port !== named.port)
    return { status: 421, reason: "the Host field and the target name different hosts" };
  const { host, port } = named;
  const addresses = await gateway.dialler
    .resolve(host, port)
    .catch((error: unknown) =>
      rethrowUnreached(gateway, owner, { host, port, addresses: [], serverName: undefined }, error),
    );
  if (isLoop(gateway.listen, addresses, port) || isOwnPort(gateway.ownPorts, addresses, port))
    return { status: 403, reason: "the target is iddio itself" };
  const destination: Destination = { host, port, addresses, serverName: undefined };
  const refused = refusedFromRun(owner.run, destination, gateway.trust.isRegistered);
  if (refused) {
    recordRefused(gateway, owner, destination, refused);
    return { status: 403, reason: refused };
  }
  if (gateway.inspection.protocolsOf(destination).length > 0) owner.lookUpProcess();
  return {
    destination,
    host,
    target: named.target,
    upstream: () => ({
      host,
      port,
      addresses,
      serverName: undefined,
      trust: undefined,
      owner: owner.poolKey,
      payer: owner,
    }),
  };
}
