// One request on iddio's own account to an upstream: with the trust, the name and the way that are
// registered for it, and with the client certificate that is held for it where that is wanted. Its
// connections are shared with no client.

import { hostPort } from "../../text/host-port.ts";
import { askUpstream, type SideAnswer, type SideCall } from "./ask.ts";
import type { Dialler } from "./dial/dialler.ts";
import type { UpstreamPool } from "./pool.ts";
import type { TrustStore } from "./trust.ts";

/** Where it goes. */
export interface OwnPlace {
  readonly host: string;
  readonly port: number;
  /** With the client certificate that is registered for it. */
  readonly lendsCertificate: boolean;
}

/** Sends one request over verified TLS. Throws UpstreamError. */
export type AskOwn = (place: OwnPlace, call: SideCall) => Promise<SideAnswer>;

/** Makes the function that sends them. */
export function ownRequests(
  pool: UpstreamPool,
  dialler: Pick<Dialler, "resolve">,
  trust: TrustStore,
): AskOwn {
  return async ({ host, port, lendsCertificate }, call) => {
    const target = {
      host,
      port,
      addresses: await dialler.resolve(host, port),
      serverName: trust.serverNameOf(host, port) ?? host,
      trust: trust.trustFor(host, port, lendsCertificate),
      owner: "iddio",
    };
    const authority = hostPort(host, port);
    return askUpstream(pool, target, authority, call);
  };
}
