// What makes an upstream believable: the public roots, or the one CA that the operator
// registered for it; and the client certificate that iddio holds for it, which is only
// lent to connections that proved to be the operator's.

import { readFileSync } from "node:fs";
import tls from "node:tls";
import { kubeconfigIdentity } from "../host/kubeconfig.ts";
import type { Upstream, Upstreams } from "../state/upstreams.ts";
import type { UpstreamTrust } from "./dial.ts";
import { UpstreamError } from "./upstream-error.ts";

/** Certificates and kubeconfigs are renewed under a running daemon; an identity is read again after this time. */
const IDENTITY_MS = 60_000;

/** Makes and keeps one TLS context for every trust that is in use. */
export class TrustStore {
  readonly #upstreams: Upstreams;
  readonly #roots: readonly string[];
  readonly #contexts = new Map<string, { readonly trust: UpstreamTrust; readonly until: number }>();
  #revision = 0;

  /** `roots` are the PEM certificates that upstreams without a registered CA are verified against. */
  constructor(upstreams: Upstreams, roots: readonly string[]) {
    this.#upstreams = upstreams;
    this.#roots = roots;
  }

  /** Forgets every context; the next connection reads CA, certificate and key anew. */
  refresh(): void {
    this.#contexts.clear();
    this.#revision += 1;
  }

  /** The proxy token of the identity that is held for this upstream, if one is. */
  proxyTokenOf(host: string, port: number): string | undefined {
    return this.#upstreams.get(host, port)?.proxyToken;
  }

  /** The name that the operator said this upstream's certificate carries, if it is not the host. */
  serverNameOf(host: string, port: number): string | undefined {
    return this.#upstreams.get(host, port)?.serverName;
  }

  /** Trust for one upstream. Throws UpstreamError when a client certificate cannot be read. */
  trustFor(host: string, port: number, mayUseIdentity: boolean): UpstreamTrust {
    const upstream = this.#upstreams.get(host, port);
    const identity = upstream?.certificatePath !== undefined && mayUseIdentity;
    const key = upstream ? `${this.#revision}|${host}:${port}|${identity ? "identity" : ""}` : "public";
    const known = this.#contexts.get(key);
    if (known && known.until > Date.now()) return known.trust;
    const trust = {
      key,
      context: tls.createSecureContext({
        ...this.#caOf(upstream),
        ...(identity ? identityOf(upstream) : {}),
      }),
    };
    this.#contexts.set(key, { trust, until: identity ? Date.now() + IDENTITY_MS : Number.POSITIVE_INFINITY });
    return trust;
  }

  #caOf(upstream: Upstream | undefined): { ca: string[] } {
    return { ca: upstream && upstream.caPem !== "" ? [upstream.caPem] : [...this.#roots] };
  }
}

function identityOf(upstream: Upstream): { cert: string; key: string } {
  const { certificatePath = "", keyPath = certificatePath, kubeconfigUser } = upstream;
  try {
    if (kubeconfigUser !== undefined) return kubeconfigIdentity(certificatePath, kubeconfigUser);
    return { cert: readFileSync(certificatePath, "utf8"), key: readFileSync(keyPath, "utf8") };
  } catch (error) {
    // The client is told no path; the log has the cause.
    throw new UpstreamError("unreachable", "the client certificate registered for it cannot be read", {
      cause: error,
    });
  }
}
