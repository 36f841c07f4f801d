// Decides which certificates an upstream is trusted by: the public roots, or the one CA that the
// operator registered for it. Also holds iddio's client certificates; they are lent only to
// connections that proved to be the operator's.

import tls, { type SecureContext } from "node:tls";
import type { ChainVerifier } from "../../ca/verify/chain-verifier.ts";
import { TrustAnchors } from "../../ca/verify/trust-anchors.ts";
import { kubeconfigIdentity } from "../../host/kubeconfig/kubeconfig.ts";
import type { Upstream, Upstreams } from "../../state/tables/upstreams.ts";
import { keptOut, readTrusted } from "../../state/trusted-file.ts";
import type { UpstreamTrust } from "./dial/dial.ts";
import { UpstreamError } from "./upstream-error.ts";

/** Certificates and kubeconfigs are renewed under a running daemon; an identity is read again after this time. */
const IDENTITY_MS = 60_000;
/** A TLS context is used for this long before the expiry of its trust is checked again. */
const VALID_MS = 1_000;

/** Makes and keeps one trust, with its TLS context, for every upstream that is in use. */
export class TrustStore {
  readonly #upstreams: Upstreams;
  readonly #verifier: ChainVerifier;
  readonly #roots: readonly string[];
  readonly #system: TrustAnchors;
  readonly #trusts = new Map<string, UpstreamTrust>();
  readonly #unusable = new Map<string, string>();
  #revision = 0;

  /** `roots` are the PEM certificates that upstreams without a registered CA are verified against. */
  constructor(upstreams: Upstreams, roots: readonly string[], verifier: ChainVerifier) {
    this.#upstreams = upstreams;
    this.#verifier = verifier;
    this.#roots = roots;
    this.#system = new TrustAnchors(roots, "system");
  }

  /** Forgets every context; the next connection reads CA, certificate and key again. */
  refresh(): void {
    this.#trusts.clear();
    this.#unusable.clear();
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
    const rest = target.slice(this.prefixOf(host, port, target).length);
    return rest === target || rest.startsWith("/") ? rest : `/${rest}`;
  };

  /** The longest registered prefix of this upstream that a target lies below; "" for none. */
  readonly prefixOf = (host: string, port: number, target: string): string => {
    let longest = "";
    for (const prefix of this.#upstreams.get(host, port)?.pathPrefixes ?? [])
      if (
        prefix.length > longest.length &&
        target.startsWith(prefix) &&
        /^[/?]|^$/.test(target.slice(prefix.length))
      )
        longest = prefix;
    return longest;
  };

  /** Trust for one upstream. A client certificate is read when a connection is dialled, and again after a minute. */
  trustFor(host: string, port: number, mayUseIdentity: boolean): UpstreamTrust {
    const upstream = this.#upstreams.get(host, port);
    const lent = upstream?.certificatePath !== undefined && mayUseIdentity ? upstream : undefined;
    const key = upstream ? `${this.#revision}|${host}:${port}|${lent ? "identity" : ""}` : "public";
    const known = this.#trusts.get(key);
    if (known) return known;
    const anchors = this.#anchorsOf(upstream);
    let made: { readonly context: Promise<SecureContext>; readonly until: number } | undefined;
    const trust: UpstreamTrust = {
      key,
      verify: (presented, serverName) => this.#verifier.verify(presented, serverName, anchors),
      context: () => {
        if (made && made.until > Date.now()) return made.context;
        const context = this.#contextOf(`${host}:${port}`, lent);
        made = { context, until: lent ? Date.now() + IDENTITY_MS : Number.POSITIVE_INFINITY };
        // A file that could not be read now may be readable the next time, so the failure is not cached.
        context.catch(() => {
          made = undefined;
        });
        return context;
      },
    };
    this.#trusts.set(key, trust);
    return trust;
  }

  async #contextOf(where: string, lent: Upstream | undefined): Promise<SecureContext> {
    // The runtime's own verdict is not asked for; with one root it costs the least.
    const ca = this.#roots.slice(0, 1);
    if (lent === undefined) return tls.createSecureContext({ ca });
    try {
      const context = tls.createSecureContext({ ca, ...(await identityOf(lent)) });
      this.#unusable.delete(where);
      return context;
    } catch (cause) {
      this.#unusable.set(where, cause instanceof Error ? cause.message : String(cause));
      // The client is told no path; status has the cause.
      throw new UpstreamError("unreachable", unreadable(cause), { cause });
    }
  }

  /** The client certificates that could not be used when they were last needed: where, and why. */
  get unusableIdentities(): readonly string[] {
    return [...this.#unusable].map(([where, why]) => `${where}: ${why}`);
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

/** A system's daemon lends the files of the user whom it serves, and none that this user may not read. */
function readIdentity(path: string): Promise<string> {
  const owner = process.env.IDDIO_OWNER;
  return readTrusted(path, MAX_IDENTITY_BYTES, owner ? Number(owner) : undefined);
}

/** Why no client certificate is lent, as a clause. */
export function unreadable(error: unknown, platform: NodeJS.Platform = process.platform): string {
  const why = keptOut(error, platform);
  return `the client certificate registered for it cannot be read${why === undefined ? "" : `: ${why}`}`;
}

async function identityOf(upstream: Upstream): Promise<{ cert: string; key: string }> {
  const { certificatePath = "", keyPath = certificatePath, kubeconfigUser } = upstream;
  if (kubeconfigUser !== undefined) return kubeconfigIdentity(certificatePath, kubeconfigUser, readIdentity);
  return { cert: await readIdentity(certificatePath), key: await readIdentity(keyPath) };
}
