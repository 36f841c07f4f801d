// iddio itself, as it ships: the compiled program with policy and audit on.

import { startGatewayProcess } from "../../test/support/gateway.ts";
import type { OriginPorts } from "../origin-process.ts";
import { type Peer, proxyRoute, type StartPeer } from "./peer.ts";

/** The policy of the bench: requests to these places are judged as kubectl's, reads are let through. */
export function benchPolicy(inspect: readonly string[]): string {
  return `
kubectl:
  inspect: ${JSON.stringify(inspect)}
  default: escalate
  groups:
    read: { tiers: [observe] }
    write: { tiers: [modify, sensitive] }
    worst: { tiers: [break-glass] }
  namespaces:
    - names: [sandbox]
      rules: { allow: { groups: [read, write] } }
  rules:
    allow: { groups: [read] }
    escalate: { groups: [write] }
    deny: { groups: [worst] }
`;
}

/** A running iddio, and its certificate. */
export interface IddioPeer extends Peer {
  readonly pid: number;
  readonly home: string;
  readonly caPem: string;
  readonly proxyPort: number;
  /** Trusts an upstream on this port of localhost. */
  trust(port: number, caPem: string): Promise<void>;
}

/** How it is started. */
export interface IddioOptions {
  readonly inspects?: boolean;
  /** Further ports of localhost that are inspected. */
  readonly ports?: readonly number[];
  /** Another build than `dist/iddio`. */
  readonly binary?: string;
}

/** The name of the build that `--beside` names, in every table. */
export const BESIDE = "earlier iddio";

/** Starts the other build as well, where one was named. */
export function startBeside(
  { beside }: { readonly beside: string | undefined },
  options: IddioOptions = {},
): StartPeer[] {
  return beside === undefined ? [] : [(origin) => startIddio(origin, { ...options, binary: beside })];
}

/** Starts it; with `inspects: false` every connection is spliced. */
export async function startIddio(origin: OriginPorts, options: IddioOptions = {}): Promise<IddioPeer> {
  const ports = options.inspects === false ? [] : [origin.tls, ...(options.ports ?? [])];
  const inspect = ports.length === 0 ? ["*.invalid"] : ports.map((port) => `localhost:${port}`);
  const gateway = await startGatewayProcess({
    policy: benchPolicy(inspect),
    ...(options.binary === undefined ? {} : { binary: options.binary }),
  });
  const trust = async (port: number, caPem: string) => {
    await gateway.control.call("upstreams_add", { host: "localhost", port, ca_pem: caPem, source: "bench" });
  };
  await trust(origin.tls, origin.caPem);
  return {
    name: options.binary === undefined ? "iddio" : BESIDE,
    pid: gateway.pid,
    home: gateway.home,
    caPem: gateway.caPem,
    proxyPort: gateway.port,
    route: proxyRoute(gateway.port, options.inspects === false ? undefined : gateway.caPem),
    trust,
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}
