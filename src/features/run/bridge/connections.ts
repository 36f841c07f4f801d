// Hands the connections that a run's programs open to the daemon: the open socket itself, no octet
// is copied here. A connection's destination is the address that it was accepted on: every address
// leads here. It goes to the name that the resolver gave the address to, or to the address;
// loopback leads only to the proxy and to ports that were asked for.

import type { Socket } from "bun";
import { sendDescriptor } from "../../../host/process/sockets/pass-descriptor.ts";
import { lookUpSocket } from "../../../host/process/sockets/sock-diag.ts";
import { handedOverLine } from "../../../host/sandbox/handed-over.ts";
import { hostPort } from "../../../text/host-port.ts";
import { type FakeNames, isFakeAddress } from "./fake-names.ts";

/** Where connections go. */
export interface BridgeRoutes {
  readonly socket: string;
  readonly names: FakeNames;
  readonly ports: readonly number[];
  readonly proxyPorts: readonly number[];
  readonly localPorts: readonly number[];
}

/** The fate of a connection to an address and port. */
export type Hop =
  | { readonly kind: "proxy" }
  | { readonly kind: "connect"; readonly authority: string }
  | { readonly kind: "refuse" };

/** Decides by the address that a connection was accepted on. */
export function hopOf(routes: Omit<BridgeRoutes, "socket" | "ports">, address: string, port: number): Hop {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, "");
  const isLoopback = plain === "::1" || plain.startsWith("127.");
  if (isLoopback && routes.proxyPorts.includes(port)) return { kind: "proxy" };
  if (isLoopback && routes.localPorts.includes(port))
    return { kind: "connect", authority: `127.0.0.1:${port}` };
  if (isLoopback) return { kind: "refuse" };
  const name = routes.names.nameOf(plain);
  if (name !== undefined) return { kind: "connect", authority: `${name}:${port}` };
  if (isFakeAddress(plain)) return { kind: "refuse" };
  return { kind: "connect", authority: hostPort(plain, port) };
}

/** Listens on every port; throws when one cannot be had. */
export function serveConnections(routes: BridgeRoutes): void {
  const ports = new Set([...routes.ports, ...routes.proxyPorts, ...routes.localPorts]);
  for (const port of ports) {
    const options = {
      port,
      data: undefined,
      socket: {
        open(client: Socket<undefined>) {
          handOver(routes, client, port);
          client.close();
        },
        data() {},
        error() {},
      },
    };
    try {
      Bun.listen({ ...options, hostname: "::" });
    } catch {
      // A kernel without IPv6.
      Bun.listen({ ...options, hostname: "0.0.0.0" });
    }
  }
}

/** Gives a connection to the daemon before anything of it was read; where that fails, it just ends. */
function handOver(routes: BridgeRoutes, client: Socket<undefined>, port: number): void {
  const hop = hopOf(routes, client.localAddress, port);
  if (hop.kind === "refuse") return;
  // Asked while it is open: afterwards nobody can tell.
  const from = lookUpSocket(
    { address: client.remoteAddress, port: client.remotePort },
    { address: client.localAddress, port: client.localPort },
  );
  const line = handedOverLine({
    inode: from?.inode,
    ...(hop.kind === "connect" ? { caught: hop.authority } : {}),
  });
  sendDescriptor(routes.socket, line, (client as unknown as { readonly fd: number }).fd);
}
