// The SOCKS5 proxy that a cluster of a kubeconfig is behind (RFC 1928, with name and password of
// RFC 1929). The host goes to it by name, as Go's clients send it: only the proxy may be able to
// resolve it.

import { isIP } from "node:net";
import type { Channel } from "../../stream/channel.ts";
import { PATIENCE } from "../../stream/patience.ts";
import { UpstreamError } from "../upstream-error.ts";

/** Name and password; both empty for none. */
export interface SocksCredentials {
  readonly username: string;
  readonly password: string;
}

const VERSION = 5;
const NO_LOGIN = 0;
const PASSWORD = 2;

const PROBLEMS: Readonly<Record<number, string>> = {
  2: "does not allow it",
  3: "says that the network is unreachable",
  4: "says that the host is unreachable",
  5: "says that the connection was refused",
};

/** Asks the proxy on `channel` for a tunnel; the octets after that come from the destination. Throws UpstreamError. */
export async function connectBySocks(
  channel: Channel,
  { username, password }: SocksCredentials,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  const until = performance.now() + PATIENCE.proxyAnswerMs;
  const answer = (length: number) => readExactly(channel, length, until);
  try {
    const hasLogin = username !== "" || password !== "";
    channel.write(Uint8Array.of(VERSION, hasLogin ? 2 : 1, NO_LOGIN, ...(hasLogin ? [PASSWORD] : [])));
    const [version, method] = await answer(2);
    if (version !== VERSION) throw problem("does not speak SOCKS5");
    if (method === PASSWORD && hasLogin) {
      channel.write(Buffer.concat([Uint8Array.of(1), counted(username), counted(password)]));
      const [, status] = await answer(2);
      if (status !== 0) throw problem("does not take its name and password");
    } else if (method !== NO_LOGIN) throw problem("wants a name and a password");
    const to = Uint8Array.of(port >> 8, port & 255);
    channel.write(Buffer.concat([Uint8Array.of(VERSION, 1, 0), addressOf(host), to]));
    const [, reply = 1, , kind] = await answer(4);
    if (reply !== 0) throw problem(PROBLEMS[reply] ?? `answered ${reply}`);
    // The address that it connected from, which is nobody's affair.
    const length = kind === 1 ? 4 : kind === 4 ? 16 : ((await answer(1))[0] ?? 0);
    await answer(length + 2);
  } catch (error) {
    channel.destroy();
    throw error;
  }
}

function addressOf(host: string): Uint8Array {
  if (isIP(host) === 4) return Uint8Array.of(1, ...host.split(".").map(Number));
  // An IPv6 address as text is a name to nobody: its own form is binary, and URL knows how to write it out.
  if (isIP(host) === 6) return Uint8Array.of(4, ...ipv6Octets(host));
  return Buffer.concat([Uint8Array.of(3), counted(host)]);
}

function ipv6Octets(host: string): number[] {
  const [head = "", tail] = host.split("::");
  const groups = (text: string) =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail ?? "")];
  const between = tail === undefined ? [] : new Array<number>(8 - first.length - last.length).fill(0);
  return [...first, ...between, ...last].flatMap((group) => [group >> 8, group & 255]);
}

function counted(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > 255) throw problem("takes no name as long as that");
  return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
}

async function readExactly(channel: Channel, length: number, until: number): Promise<Uint8Array> {
  for (;;) {
    const bytes = channel.read();
    if (bytes.length >= length) {
      channel.unread(bytes.subarray(length));
      return bytes.subarray(0, length);
    }
    channel.unread(bytes);
    if (!(await channel.moreWithin(until - performance.now()))) throw problem("gave no proper answer");
  }
}

function problem(what: string): UpstreamError {
  return new UpstreamError("unreachable", `the SOCKS5 proxy ${what}`);
}
