// Where a cluster of a kubeconfig is: its server's host and port, the path below which its API
// begins, and the proxy that leads there. Nothing of it is ever dropped: what iddio could not
// follow is refused with the reason.

import { isAddress } from "../../match/destination.ts";
import { UserError } from "../../model/user-error.ts";
import type { KubeconfigEntry } from "./kubeconfig.ts";

/** A cluster's server. */
export interface ClusterServer {
  readonly isTls: boolean;
  /** Lower case, no brackets. */
  readonly host: string;
  readonly port: number;
  /** The path before `/api` and `/apis`, without a slash at its end: `/k8s/clusters/c-1`; "" for most servers. */
  readonly pathPrefix: string;
  /** The proxy to go through, http, https or socks5; "" for none. May hold credentials. */
  readonly proxyUrl: string;
}

/** Reads `server` and `proxy-url`. Throws a UserError when it cannot be followed. */
export function clusterServer(cluster: KubeconfigEntry): ClusterServer {
  const server = textOf(cluster, "server");
  // Like kubectl: without a scheme it is https.
  const url = URL.parse(server.includes("://") ? server : `https://${server}`);
  if (url === null || !["https:", "http:"].includes(url.protocol) || url.hostname === "")
    throw new UserError(`cluster '${cluster.name}' in '${cluster.file}' has no usable server: '${server}'`, {
      hint: "it must be a URL such as https://10.0.0.7:6443",
    });
  const isTls = url.protocol === "https:";
  const bare = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const host = isAddress(bare) ? bare : bare.replace(/\.$/, "");
  const port = Number(url.port) || (isTls ? 443 : 80);
  return { isTls, host, port, pathPrefix: prefixOf(cluster, server, url), proxyUrl: proxyOf(cluster) };
}

function prefixOf(cluster: KubeconfigEntry, server: string, { pathname }: URL): string {
  const prefix = pathname.replace(/\/+$/, "");
  if (prefix === "") return "";
  const written = /^(?:[^/?#]*:\/\/)?[^/?#]*([^?#]*)/.exec(server)?.[1]?.replace(/\/+$/, "");
  const problem = written === prefix ? pathPrefixProblem(prefix) : "it has more than one spelling";
  if (problem === undefined) return prefix;
  throw new UserError(
    `cluster '${cluster.name}' in '${cluster.file}' has a server with a path that cannot be kept: ${problem}`,
    { hint: "it must be plain, such as https://rancher.example/k8s/clusters/c-1" },
  );
}

/** Why a path cannot stand before a cluster's API, in a clause; undefined when it can. */
export function pathPrefixProblem(prefix: string): string | undefined {
  if (!/^(?:\/[\w.~:@!$&'()*+,;=-]+)+$/.test(prefix) || prefix.length > 500)
    return `'${prefix.slice(0, 100)}' is not a plain path without a slash at its end`;
  if (/\/\.{1,2}(?:\/|$)/.test(prefix)) return "it has dots for a segment";
  // A cluster behind another one's API: anyone who reads the path as the first one's must not be talked out of it.
  return /^\/apis?(?:\/|$)/.test(prefix) ? "it begins like an API of its own" : undefined;
}

function proxyOf(cluster: KubeconfigEntry): string {
  const proxy = textOf(cluster, "proxy-url");
  if (proxy === "" || proxyUrlProblem(proxy) === undefined) return proxy;
  throw new UserError(
    `cluster '${cluster.name}' in '${cluster.file}' is reached through a proxy-url that iddio cannot use: ` +
      proxyUrlProblem(proxy),
    { hint: "iddio goes through proxies of the kinds http, https and socks5" },
  );
}

/** Why a proxy's URL cannot be used, in a clause without the URL, which may hold a password; undefined when it can. */
export function proxyUrlProblem(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || url.hostname === "") return "it is not a URL";
  if (!["http:", "https:", "socks5:"].includes(url.protocol))
    return `its scheme is ${url.protocol.slice(0, -1)}`;
  return undefined;
}

function textOf({ fields }: KubeconfigEntry, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}
