// What makes an upstream believable: the public roots, or the one CA that the operator
// registered for it; and the client certificate that iddio holds for it, which is only
// lent to connections that proved to be the operator's.

import tls from "node:tls";
import type { ChainVerifier } from "../../ca/verify/chain-verifier.ts";
import { TrustAnchors } from "../../ca/verify/trust-anchors.ts";
import { kubeconfigIdentity } from "../../host/kubeconfig/kubeconfig.ts";
import { errorCode } from "../../state/files.ts";
import { readTrustedSync } from "../../state/trusted-file.ts";
import type { Upstream, Upstreams } from "../../state/upstreams.ts";
import type { UpstreamTrust } from "./dial.ts";
import { UpstreamError } from "./upstream-error.ts";

/** Certificates and kubeconfigs are renewed under a running daemon; an identity is read again after this time. */
const IDENTITY_MS = 60_000;
/** What was made of trust is used for a second without asking again whether its time is over. */
const VALID_MS = 1_000;

/** Makes and keeps one TLS context for every trust that is in use. */
export class TrustStore {
  readonly #upstreams: Upstreams;
  readonly #verifier: ChainVerifier;
  readonly #roots: readonly string[];
  readonly #system: TrustAnchors;
  readonly #contexts = new Map<string, { readonly trust: UpstreamTrust; readonly until: number }>();
  #revision = 0;

  /** `roots` are the PEM certificates that upstreams without a registered CA are verified against. */
  constructor(upstreams: Upstreams, roots: readonly string[], verifier: ChainVerifier) {
    this.#upstreams = upstreams;
    this.#verifier = verifier;
    this.#roots = roots;
    this.#system = new TrustAnchors(roots, "system");
  }

  /** Forgets every context; the next connection reads CA, certificate and key anew. */
  refresh(): void {
    this.#contexts.clear();
    this.#revision += 1;
  }

  /** Whether the operator registered an upstream for exactly this host and port. */
  readonly isRegistered = (host: string, port: number): boolean =>
    this.#upstreams.get(host, port) !== undefined;

  /** The proxy token of the identity that is held for this upstream, if one is. */
  proxyTokenOf(host: string, port: number): string | undefined {
    return this.#upstreams.get(host, port)?.proxyToken;
  }

  /** The name that the operator said this upstream's certificate carries, if it is not the host. */
  serverNameOf(host: string, port: number): string | undefined {
    return this.#upstreams.get(host, port)?.serverName;
  }

  /** The proxy through which alone this upstream is reached, if it has one of its own. */
  readonly proxyOf = (host: string, port: number): string | undefined =>
    this.#upstreams.get(host, port)?.proxyUrl;

  /** A target as the cluster below a registered prefix of this upstream reads it; any other as it is. */
  readonly belowPrefix = (host: string, port: number, target: string): string => {
    let longest = "";
    for (const prefix of this.#upstreams.get(host, port)?.pathPrefixes ?? [])
      if (
        prefix.length > longest.length &&
        target.startsWith(prefix) &&
        /^[/?]|^$/.test(target.slice(prefix.length))
      )
        longest = prefix;
    const rest = target.slice(longest.length);
    return longest === "" || rest.startsWith("/") ? rest : `/${rest}`;
  };

  /** Trust for one upstream. Throws UpstreamError when a client certificate cannot be read. */
  trustFor(host: string, port: number, mayUseIdentity: boolean): UpstreamTrust {
    const upstream = this.#upstreams.get(host, port);
    const identity = upstream?.certificatePath !== undefined && mayUseIdentity;
    const key = upstream ? `${this.#revision}|${host}:${port}|${identity ? "identity" : ""}` : "public";
    const known = this.#contexts.get(key);
    if (known && known.until > Date.now()) return known.trust;
    const anchors = this.#anchorsOf(upstream);
    const trust: UpstreamTrust = {
      key,
      verify: (presented, serverName) => this.#verifier.verify(presented, serverName, anchors),
      context: tls.createSecureContext({
        // The runtime's own verdict is not asked for; with one root it costs the least.
        ca: this.#roots.slice(0, 1),
        ...(identity ? identityOf(upstream) : {}),
      }),
    };
    this.#contexts.set(key, { trust, until: identity ? Date.now() + IDENTITY_MS : Number.POSITIVE_INFINITY });
    return trust;
  }

  /** Remembers for a short while what `make` gave, and not beyond a change of trust. */
  whileValid<Value>(make: () => Value): () => Value {
    let known: { readonly value: Value; readonly revision: number; readonly until: number } | undefined;
    return () => {
      const now = performance.now();
      if (known === undefined || known.revision !== this.#revision || known.until < now)
        known = { value: make(), revision: this.#revision, until: now + VALID_MS };
      return known.value;
    };
  }

  #anchorsOf(upstream: Upstream | undefined): TrustAnchors {
    if (!upstream || upstream.caPem === "") return this.#system;
    return new TrustAnchors([upstream.caPem], upstream.source === "kubeconfig" ? "cluster" : "operator");
  }
}

const MAX_IDENTITY_BYTES = 1024 * 1024;

/** A system's daemon lends the files of the user whom it serves. */
function readIdentity(path: string): string {
  const owner = process.env.IDDIO_OWNER;
  return readTrustedSync(path, MAX_IDENTITY_BYTES, owner ? Number(owner) : undefined);
}

/** macOS keeps background programs out of some folders and opens no window about it. */
export function unreadable(error: unknown, platform: NodeJS.Platform = process.platform): string {
  const isKeptOut = platform === "darwin" && errorCode(error) === "EPERM";
  const why = ": macOS keeps background programs out of Documents, Desktop, Downloads and iCloud";
  return `the client certificate registered for it cannot be read${isKeptOut ? why : ""}`;
}

function identityOf(upstream: Upstream): { cert: string; key: string } {
  const { certificatePath = "", keyPath = certificatePath, kubeconfigUser } = upstream;
  try {
    if (kubeconfigUser !== undefined)
      return kubeconfigIdentity(certificatePath, kubeconfigUser, readIdentity);
    return { cert: readIdentity(certificatePath), key: readIdentity(keyPath) };
  } catch (error) {
    // The client is told no path; the log has the cause.
    throw new UpstreamError("unreachable", unreadable(error), { cause: error });
  }
}
