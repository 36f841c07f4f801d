// The proxy that stands between this machine and the internet: which destinations go
// through it, and the CONNECT that gets them there. Its credentials are in the setting and
// in the one field they are for; no message, row or log line may hold them.

import { readAddress } from "../../../match/destination.ts";
import { parseInspectEntry } from "../../../match/inspect-entry.ts";
import { InspectIndex } from "../../../match/inspect-index.ts";
import { hostPort } from "../../../text/host-port.ts";
import { parseResponseHead, serialiseRequestHead } from "../../../wire/http1/head.ts";
import { HeadError, readHead } from "../../message/read-head.ts";
import type { Channel } from "../../stream/channel.ts";
import { PATIENCE } from "../../stream/patience.ts";
import { UpstreamError } from "../upstream-error.ts";
import type { SocksCredentials } from "./socks-proxy.ts";

/** Where a connection is to end. */
export interface ProxiedDestination {
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
  /** The client whose share of the descriptors the connection is charged to. */
  readonly payer?: Payer;
}

/** Who pays for a connection: the user, and the process once that is found. */
export interface Payer {
  readonly payer: string;
  /** Resolves when it is as well known as it will be. */
  identified(): Promise<void>;
}

/** A corporate proxy as `upstream_proxy` and `upstream_no_proxy` describe it. */
export interface CorporateProxy {
  readonly host: string;
  readonly port: number;
  /** The proxy itself is spoken to over TLS. */
  readonly isTls: boolean;
  /** Value of Proxy-Authorization. */
  readonly authorization: string | undefined;
  /** It speaks SOCKS5, and these are its name and password. */
  readonly socks: SocksCredentials | undefined;
  /** Whether a destination is reached without it. */
  bypasses(destination: ProxiedDestination): boolean;
}

/** Reads the two settings; undefined when no proxy is set. Both were validated when the settings were read. */
export function corporateProxy(url: string, noProxy: string): CorporateProxy | undefined {
  if (url === "") return undefined;
  const { protocol, hostname, port, username, password } = new URL(url);
  const isTls = protocol === "https:";
  const login = { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  const credentials = `${login.username}:${login.password}`;
  const isSocks = protocol === "socks5:";
  const direct = bypassIndex(noProxy);
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (isTls ? 443 : isSocks ? 1080 : 80) : Number(port),
    isTls,
    socks: isSocks ? login : undefined,
    authorization:
      username === "" && password === "" ? undefined : `Basic ${Buffer.from(credentials).toString("base64")}`,
    bypasses: ({ host, port: to, addresses }) =>
      [host, ...addresses].some((name) => direct.lookup(name, to) !== undefined),
  };
}

/** The proxy for a URL that the daemon itself fetches; "" when it is reached directly. */
export function corporateProxyFor(
  url: string,
  settings: { readonly upstream_proxy: string; readonly upstream_no_proxy: string },
): string {
  const proxy = corporateProxy(settings.upstream_proxy, settings.upstream_no_proxy);
  if (proxy === undefined) return "";
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const isLocal = host === "localhost" || host === "::1" || host.startsWith("127.");
  const to = { host, port: port === "" ? (protocol === "http:" ? 80 : 443) : Number(port), addresses: [] };
  return isLocal || proxy.bypasses(to) ? "" : settings.upstream_proxy;
}

/** As curl and Go read NO_PROXY: a name stands for itself and what is below it, with or without a leading dot. */
function bypassIndex(noProxy: string): InspectIndex<true> {
  const entries = noProxy
    .split(",")
    .filter((item) => item !== "")
    .flatMap((item) =>
      item === "*" || item.includes("/") || readAddress(item) ? [item] : [bare(item), `*.${bare(item)}`],
    )
    .flatMap((text) => {
      const parsed = parseInspectEntry(text);
      return "entry" in parsed ? [{ entry: parsed.entry, value: true as const }] : [];
    });
  return new InspectIndex(entries);
}

function bare(item: string): string {
  return item.replace(/^\*?\./, "");
}

/** Asks the proxy on `channel` for a tunnel; the octets after that come from the destination. Throws UpstreamError. */
export async function connectThrough(
  channel: Channel,
  proxy: CorporateProxy,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  const authority = hostPort(host, port);
  const headers: [string, string][] = [["Host", authority]];
  if (proxy.authorization !== undefined) headers.push(["Proxy-Authorization", proxy.authorization]);
  channel.write(serialiseRequestHead({ method: "CONNECT", target: authority, headers }));
  const parse = (bytes: Uint8Array, seen: number) => parseResponseHead(bytes, "CONNECT", undefined, seen);
  const patience = { firstByteMs: PATIENCE.proxyAnswerMs, wholeMs: PATIENCE.proxyAnswerMs };
  const answer = await readHead(channel, parse, patience).catch((error: unknown) => {
    channel.destroy();
    if (!(error instanceof HeadError)) throw error;
    throw new UpstreamError("unreachable", `the corporate proxy gave no proper answer: ${error.message}`);
  });
  if (answer?.status === 200) return;
  channel.destroy();
  const what = answer === undefined ? "closed the connection" : `answered ${answer.status}`;
  throw new UpstreamError("unreachable", `the corporate proxy ${what} when asked for ${authority}`);
}
