// Hands the connections that a run's programs open to the daemon. Where a connection was meant to
// go is the address that it was accepted on: every address leads here. It goes on as a CONNECT to
// the name that the resolver gave the address to, or to the address itself; loopback leads nowhere
// but to the proxy and to ports that were asked for.

import type { Socket } from "bun";
import { Channel } from "../../../gateway/stream/channel.ts";
import { relay } from "../../../gateway/stream/relay.ts";
import { TcpStream } from "../../../gateway/stream/tcp-stream.ts";
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
    const handlers = TcpStream.handlers((stream) => {
      const { address } = stream.local;
      const hop = hopOf(routes, address, port);
      if (hop.kind === "refuse") stream.destroy();
      else void carry(routes.socket, stream, hop, port);
    });
    const options = { port, allowHalfOpen: true, data: undefined, socket: handlers };
    try {
      Bun.listen({ ...options, hostname: "::" });
    } catch {
      // A kernel without IPv6.
      Bun.listen({ ...options, hostname: "0.0.0.0" });
    }
  }
}

async function carry(path: string, stream: TcpStream, hop: Exclude<Hop, { kind: "refuse" }>, port: number) {
  const client = new Channel(stream);
  const daemon = await dial(path);
  if (daemon === undefined) return client.destroy();
  if (hop.kind === "connect") {
    daemon.write(
      new TextEncoder().encode(`CONNECT ${hop.authority} HTTP/1.1\r\nHost: ${hop.authority}\r\n\r\n`),
    );
    const head = await answerHead(daemon);
    if (head === undefined) return giveUp(client, daemon);
    // A client of plain HTTP can read why it was refused; any other sees its connection end.
    if (!/^HTTP\/1\.1 200 /.test(head)) {
      if (port === 80) {
        client.write(new TextEncoder().encode(head));
        await relay(client, daemon);
        return;
      }
      return giveUp(client, daemon);
    }
  }
  await relay(client, daemon);
}

function giveUp(client: Channel, daemon: Channel): void {
  client.destroy();
  daemon.destroy();
}

/** A connection to a unix socket; undefined when nobody listens. */
export async function dial(path: string): Promise<Channel | undefined> {
  return new Promise((resolve) => {
    let isOpen = false;
    const handlers = TcpStream.handlers((stream) => {
      isOpen = true;
      resolve(new Channel(stream));
    });
    Bun.connect<TcpStream | undefined>({
      unix: path,
      allowHalfOpen: true,
      data: undefined,
      socket: {
        ...handlers,
        connectError(_socket: Socket<TcpStream | undefined>) {
          resolve(undefined);
        },
      },
    }).catch(() => {
      if (!isOpen) resolve(undefined);
    });
  });
}

const HEAD_MAX = 16 * 1024;

/** The head of the daemon's answer; octets after it stay in the channel. */
async function answerHead(daemon: Channel): Promise<string | undefined> {
  let bytes = new Uint8Array(0);
  while (await daemon.readable()) {
    bytes = Buffer.concat([bytes, daemon.read()]);
    const text = Buffer.from(bytes).toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    if (end >= 0) {
      if (bytes.length > end + 4) daemon.unread(bytes.subarray(end + 4));
      return text.slice(0, end + 4);
    }
    if (bytes.length > HEAD_MAX) return undefined;
  }
  return undefined;
}
