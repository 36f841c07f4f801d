// The kubeconfig that agents use: the operator's contexts, reached through the gateway and trusting
// its CA, without any client certificate or key. Makes text from values; reading the original is
// kubeconfig.ts, trust is the daemon's.

import { UserError } from "../../model/user-error.ts";
import type { Kubeconfig, KubeconfigContext, KubeconfigEntry, KubeconfigFields } from "./kubeconfig.ts";

/** User name in the proxy URL of overlays and name of the extension that lists their sources. */
export const OVERLAY_MARK = "iddio";

/** Where the gateway listens and what proves that a connection uses the overlay. */
export interface OverlayOptions {
  /** `127.0.0.1:9443`; an IPv6 address in brackets. */
  readonly proxyListen: string;
  /** Goes into the proxy URL of clusters whose client certificate iddio holds. URL-safe characters only. */
  readonly token: string;
  /** Absolute path of ca-bundle.pem. */
  readonly bundlePath: string;
  /** iddio's own CA in PEM. */
  readonly caPem: string;
  /** By context: the placeholder for its user's credential, which iddio lends. */
  readonly lent?: ReadonlyMap<string, LentUser>;
}

/** A user whose credential iddio lends. */
export interface LentUser {
  readonly placeholder: string;
  /** The context's client certificate is needed beside the lent token. */
  readonly keepsCertificate: boolean;
}

/** A server with the trust that the daemon needs for it; from all the contexts that lead there. */
export interface ServerTrust {
  readonly host: string;
  readonly port: number;
  /** All CAs that a context names for it; "" for the system's roots. */
  readonly caPem: string;
  readonly serverName?: string;
  readonly identity?: KubeconfigContext["identity"];
  /** The path prefix of each cluster on this server. */
  readonly pathPrefixes: readonly string[];
  /** The proxy to go through; "" for none. */
  readonly proxyUrl: string;
}

/**
 * The servers of the contexts that need trust, a way or a prefix, one row a host and port. Throws a UserError when two contexts hold different
 * client certificates for one server, of which iddio can present only one, or different names to verify, or
 * reach it by different ways.
 */
export function serverTrusts(kubeconfig: Kubeconfig): readonly ServerTrust[] {
  const trusts = new Map<string, { trust: ServerTrust; from: string }>();
  for (const context of kubeconfig.contexts) {
    const { name, host, port, caPem, serverName, identity, pathPrefix, proxyUrl } = context;
    if (!context.isTls && pathPrefix === "" && proxyUrl === "") continue;
    const prefixes = pathPrefix === "" ? [] : [pathPrefix];
    const key = `${host}:${port}`;
    const known = trusts.get(key);
    if (known === undefined) {
      const trust = {
        host,
        port,
        caPem,
        pathPrefixes: prefixes,
        proxyUrl,
        ...(serverName ? { serverName } : {}),
        ...(identity ? { identity } : {}),
      };
      trusts.set(key, { trust, from: name });
      continue;
    }
    const { trust, from } = known;
    if (trust.serverName !== serverName)
      throw disagreement(from, name, key, "verify it by different names (tls-server-name)");
    if (trust.proxyUrl !== proxyUrl)
      throw disagreement(from, name, key, "reach it by different ways (proxy-url)");
    if (trust.identity && identity && JSON.stringify(trust.identity) !== JSON.stringify(identity))
      throw disagreement(from, name, key, "hold different client certificates for it");
    const merged = trust.caPem.includes(caPem.trim()) ? trust.caPem : `${trust.caPem.trim()}\n${caPem}`;
    const held = trust.identity ?? identity;
    const pathPrefixes = [...new Set([...trust.pathPrefixes, ...prefixes])];
    trusts.set(key, {
      from,
      trust: { ...trust, pathPrefixes, caPem: merged, ...(held ? { identity: held } : {}) },
    });
  }
  return [...trusts.values()].map(({ trust }) => trust);
}

function disagreement(first: string, second: string, server: string, how: string): UserError {
  return new UserError(`contexts '${first}' and '${second}' both lead to ${server} but ${how}`, {
    hint: `pick one: iddio kubeconfig --context ${first}`,
  });
}

/**
 * The overlay's text (JSON, which is YAML). Contexts whose user has a client certificate get the token in their
 * proxy URL, the others do not: with it, the gateway would lend them an identity that is not theirs.
 */
export function renderOverlay(kubeconfig: Kubeconfig, options: OverlayOptions): string {
  const clusters = new Map<string, KubeconfigFields>();
  const users = new Map<string, KubeconfigFields>();
  const contexts = kubeconfig.contexts.map((original) => {
    const lent = options.lent?.get(original.name);
    const each = lent === undefined || lent.keepsCertificate ? original : withoutIdentity(original);
    const cluster = clusterName(kubeconfig, each);
    clusters.set(cluster, overlayCluster(each, options));
    const user = lent === undefined ? each.user?.name : `${OVERLAY_MARK} for ${each.name}`;
    if (lent !== undefined && user !== undefined) users.set(user, { token: lent.placeholder });
    else if (each.user !== undefined)
      users.set(each.user.name, withoutCertificate(each.user, each.identity !== undefined));
    return {
      name: each.name,
      context: { ...each.context.fields, cluster, ...(user === undefined ? {} : { user }) },
    };
  });
  const overlay = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": kubeconfig.currentContext,
    clusters: [...clusters].map(([name, cluster]) => ({ name, cluster })),
    contexts,
    users: [...users].map(([name, user]) => ({ name, user })),
    extensions: [{ name: OVERLAY_MARK, extension: { sources: kubeconfig.sources } }],
  };
  return `${JSON.stringify(overlay, undefined, 2)}\n`;
}

/** The files that an overlay was made from; undefined when the document is no overlay. */
export function overlaySources(document: KubeconfigFields): readonly string[] | undefined {
  const extensions = Array.isArray(document.extensions) ? document.extensions : [];
  const mark = extensions.find((item) => item?.name === OVERLAY_MARK);
  if (mark === undefined) return undefined;
  const sources: unknown = mark.extension?.sources;
  return Array.isArray(sources) ? sources.filter((source) => typeof source === "string") : [];
}

/** The token in an overlay's text, so that writing it again leaves copies of it valid; undefined when there is none. */
export function overlayToken(text: string): string | undefined {
  return new RegExp(`//${OVERLAY_MARK}:([\\w-]+)@`).exec(text)?.[1];
}

function withoutIdentity(context: KubeconfigContext): KubeconfigContext {
  const { identity: _identity, ...others } = context;
  return others;
}

// One cluster entry can serve contexts with and without a client certificate; those without get a twin.
function clusterName(kubeconfig: Kubeconfig, context: KubeconfigContext): string {
  const { name } = context.cluster;
  if (context.identity !== undefined) return name;
  const isShared = kubeconfig.contexts.some(
    (other) => other.cluster.name === name && other.identity !== undefined,
  );
  return isShared ? `${name} (no client certificate)` : name;
}

function overlayCluster(context: KubeconfigContext, options: OverlayOptions): KubeconfigFields {
  const {
    "certificate-authority-data": _data,
    "certificate-authority": _path,
    "insecure-skip-tls-verify": _skip,
    "proxy-url": _proxy,
    ...kept
  } = context.cluster.fields;
  const credentials = context.identity === undefined ? "" : `${OVERLAY_MARK}:${options.token}@`;
  return {
    ...kept,
    ...(context.isTls ? authorities(context, options) : {}),
    "proxy-url": `http://${credentials}${options.proxyListen}`,
  };
}

/**
 * iddio's CA and the cluster's own, so that the overlay also works in the modes `off` and `passthrough`. Not
 * the whole bundle where that can be helped: kubectl parses this file again for every object that it prints.
 */
function authorities({ caPem }: KubeconfigContext, options: OverlayOptions): KubeconfigFields {
  if (caPem === "") return { "certificate-authority": options.bundlePath };
  const both = `${options.caPem.trim()}\n${caPem.trim()}\n`;
  return { "certificate-authority-data": Buffer.from(both).toString("base64") };
}

// Without any credential kubectl asks for a user name on the terminal. A name that means nothing keeps it quiet; the
// API server goes by the certificate that the gateway presents.
function withoutCertificate({ fields }: KubeconfigEntry, hasIdentity: boolean): KubeconfigFields {
  const {
    "client-certificate": _certificate,
    "client-certificate-data": _certificateData,
    "client-key": _key,
    "client-key-data": _keyData,
    ...kept
  } = fields;
  const hasOther = ["token", "tokenFile", "username", "exec", "auth-provider"].some((key) => kept[key]);
  return hasIdentity && !hasOther ? { ...kept, username: OVERLAY_MARK } : kept;
}
