// The one port of loopback that a run on macOS may reach: the proxy, for programs that know the
// run's secret. Any program of the machine can connect to it, so each connection begins with the
// secret, as Basic credentials of the proxy's URL.

import { timingSafeEqual } from "node:crypto";
import { Channel } from "../../../gateway/stream/channel.ts";
import { relay } from "../../../gateway/stream/relay.ts";
import { TcpStream } from "../../../gateway/stream/tcp-stream.ts";
import { dial } from "../bridge/dial.ts";

const HEAD_MAX = 64 * 1024;
const HEAD_MS = 30_000;
const USER = "run";
const REFUSAL =
  'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="iddio run"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/** Listens for the agent; `using` stops it. */
export interface TokenPort extends Disposable {
  readonly port: number;
  /** The proxy's URL with the secret in it. */
  readonly url: string;
}

/** Listens on a free port and passes connections with the secret on to the run's socket. */
export function openTokenPort(socket: string, secret: string): TokenPort {
  const open = new Set<Channel>();
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    allowHalfOpen: true,
    data: undefined,
    socket: TcpStream.handlers((stream) => {
      const client = new Channel(stream);
      open.add(client);
      client.onClosed(() => open.delete(client));
      void serve(client, socket, secret);
    }),
  });
  return {
    port: server.port,
    url: `http://${USER}:${secret}@127.0.0.1:${server.port}`,
    [Symbol.dispose]() {
      server.stop(true);
      for (const client of open) client.destroy();
    },
  };
}

async function serve(client: Channel, socket: string, secret: string): Promise<void> {
  const head = await firstHead(client);
  if (head === undefined) return client.destroy();
  const own = withoutSecret(head, secret);
  if (own === undefined) {
    client.write(new TextEncoder().encode(REFUSAL));
    return client.end();
  }
  const daemon = await dial(socket);
  if (daemon === undefined) return client.destroy();
  daemon.write(Buffer.from(own, "latin1"));
  await relay(client, daemon);
}

/** The head without the field that held the secret; undefined when it held none, or another. */
export function withoutSecret(head: string, secret: string): string | undefined {
  const lines = head.split("\r\n");
  const fields = lines.filter((line) => /^proxy-authorization:/i.test(line));
  const encoded = /^[^:]*:[ \t]*Basic +([A-Za-z0-9+/=]+)[ \t]*$/i.exec(fields[0] ?? "")?.[1];
  if (fields.length !== 1 || encoded === undefined) return undefined;
  const given = Buffer.from(encoded, "base64");
  const wanted = Buffer.from(`${USER}:${secret}`);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
  return lines.filter((line) => line !== fields[0]).join("\r\n");
}

async function firstHead(client: Channel): Promise<string | undefined> {
  const end = performance.now() + HEAD_MS;
  let bytes = new Uint8Array(0);
  for (;;) {
    bytes = Buffer.concat([bytes, client.read()]);
    const text = Buffer.from(bytes).toString("latin1");
    const at = text.indexOf("\r\n\r\n");
    if (at >= 0) {
      if (bytes.length > at + 4) client.unread(bytes.subarray(at + 4));
      return text.slice(0, at + 4);
    }
    if (bytes.length > HEAD_MAX || !(await client.moreWithin(end - performance.now()))) return undefined;
  }
}
