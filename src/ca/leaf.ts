// Certificates for the names and addresses that clients ask for, minted on demand. All of one
// process share one key that is never written to disk. Each carries exactly one subject alternative
// name, so that an HTTP/2 client has no reason to send requests for another host over the same
// connection (RFC 9113 9.1.1).

import type { Authority } from "./authority.ts";
import type { LeafMint } from "./mint-leaf.ts";

const DAY_MS = 86_400_000;
/** Well under the 398 days that clients accept at most. */
const LIFETIME_MS = 90 * DAY_MS;
/** For clients whose clock is behind; not further back than the authority itself. */
const BACKDATED_MS = DAY_MS / 2;
/** A leaf with less than this left is minted again. */
const RENEW_BEFORE_MS = 30 * DAY_MS;

/** A certificate and its key, as a TLS server needs them. */
export interface Leaf {
  /** The leaf, then the authority's certificate. */
  readonly certPem: string;
  /** PKCS #8; the same for every leaf of this process. */
  readonly keyPem: string;
}

interface Cached {
  readonly leaf: Promise<Leaf>;
  /** Milliseconds of the epoch. */
  readonly renewAt: number;
}

/** Mints and remembers leaves; the least recently used are forgotten first. */
export class LeafStore {
  readonly #authority: Authority;
  readonly #capacity: number;
  readonly #now: () => number;
  readonly #cache = new Map<string, Cached>();
  #mint: Promise<LeafMint> | undefined;

  constructor(
    authority: Authority,
    options: { readonly capacity?: number; readonly now?: () => number } = {},
  ) {
    this.#authority = authority;
    this.#capacity = options.capacity ?? 1000;
    this.#now = options.now ?? Date.now;
  }

  /**
   * The leaf for one host name (ASCII, as in SNI) or IP address (with or without brackets). Calls at the same
   * time share one mint. Rejects a name that can be neither.
   */
  leafFor(name: string): Promise<Leaf> {
    const host = name.toLowerCase().replace(/\.$/, "");
    const cached = this.#cache.get(host);
    this.#cache.delete(host);
    const entry = cached !== undefined && cached.renewAt > this.#now() ? cached : this.#mintEntry(host);
    this.#cache.set(host, entry); // at the end: most recently used
    if (this.#cache.size > this.#capacity) {
      const oldest = this.#cache.keys().next().value;
      if (oldest !== undefined) this.#cache.delete(oldest);
    }
    return entry.leaf;
  }

  #mintEntry(host: string): Cached {
    const now = this.#now();
    const notAfter = Math.min(now + LIFETIME_MS, this.#authority.notAfter.getTime());
    // Near the authority's own end there is nothing longer to be had: such a leaf is kept while it is valid.
    const renewAt = Math.max(notAfter - RENEW_BEFORE_MS, Math.min(now + DAY_MS, notAfter));
    // Loaded with the first name: a daemon that inspects nothing needs no library that makes certificates.
    this.#mint ??= import("./mint-leaf.ts").then(({ LeafMint }) => LeafMint.start(this.#authority));
    const notBefore = Math.max(now - BACKDATED_MS, this.#authority.notBefore.getTime());
    const leaf = this.#mint.then((mint) => mint.make(host, notBefore, notAfter));
    const entry = { leaf, renewAt };
    leaf.catch(() => {
      if (this.#cache.get(host) === entry) this.#cache.delete(host);
    });
    return entry;
  }
}
