// Trust for upstreams that the system's roots do not cover: clusters with a CA of their own, hosts
// that want a client certificate. Keeps the CA itself, but of a client identity only where its
// files are: iddio never copies a private key. Reads come from memory, because the data path asks
// on every new connection.

import type { Database } from "bun:sqlite";
import { canonicalHost } from "../../match/destination.ts";

/** One registered host and port. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
  /** One or more certificates that may have signed this upstream's chain. "" means the system's roots. */
  readonly caPem: string;
  /** File of the client certificate, or the kubeconfig that embeds it when `kubeconfigUser` is set. Absolute. */
  readonly certificatePath?: string;
  /** File of the client key; not set when `kubeconfigUser` is. Absolute. */
  readonly keyPath?: string;
  /** The user entry of the kubeconfig in `certificatePath` whose embedded certificate and key are meant. */
  readonly kubeconfigUser?: string;
  /** Name to send and verify instead of the host (kubeconfig `tls-server-name`). */
  readonly serverName?: string;
  /** Who registered it: "kubeconfig", "manual", "detector". */
  readonly source: string;
  /** A connection gets the client identity only if its proxy authorization has this token. */
  readonly proxyToken?: string;
  /** The path prefix of each cluster on this host, without a slash at its end: `/k8s/clusters/c-1`. */
  readonly pathPrefixes?: readonly string[];
  /** The proxy through which alone it is reached. May hold a password. */
  readonly proxyUrl?: string;
  readonly addedMs: number;
}

interface Row {
  readonly host: string;
  readonly port: number;
  readonly ca_pem: string;
  readonly certificate_path: string | null;
  readonly key_path: string | null;
  readonly kubeconfig_user: string | null;
  readonly server_name: string | null;
  readonly source: string;
  readonly proxy_token: string | null;
  readonly added_ms: number;
  /** A JSON list. */
  readonly path_prefixes: string;
  readonly proxy_url: string | null;
}

/** The table `upstreams`, with a copy in memory. */
export class Upstreams {
  readonly #database: Database;
  readonly #byKey = new Map<string, Upstream>();
  readonly #listeners = new Set<() => void>();

  constructor(database: Database) {
    this.#database = database;
    for (const row of database.query<Row, []>("SELECT * FROM upstreams").all()) {
      const upstream = fromRow(row);
      this.#byKey.set(keyOf(upstream.host, upstream.port), upstream);
    }
  }

  /** Every upstream, by host and port. */
  list(): readonly Upstream[] {
    return [...this.#byKey.values()].sort((a, b) =>
      a.host === b.host ? a.port - b.port : a.host < b.host ? -1 : 1,
    );
  }

  /** The entry for exactly this host (lower case, no trailing dot, no brackets) and port. */
  get(host: string, port: number): Upstream | undefined {
    return this.#byKey.get(keyOf(host, port));
  }

  /** Adds or replaces the entry of its host and port. Written before it returns. */
  add(upstream: Omit<Upstream, "addedMs"> & { readonly addedMs?: number }): Upstream {
    const stored: Upstream = {
      ...upstream,
      host: canonicalHost(upstream.host),
      addedMs: upstream.addedMs ?? Date.now(),
    };
    this.#database.run(
      `INSERT OR REPLACE INTO upstreams
         (host, port, ca_pem, certificate_path, key_path, kubeconfig_user, server_name, source, proxy_token, added_ms,
          path_prefixes, proxy_url)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        stored.host,
        stored.port,
        stored.caPem,
        stored.certificatePath ?? null,
        stored.keyPath ?? null,
        stored.kubeconfigUser ?? null,
        stored.serverName ?? null,
        stored.source,
        stored.proxyToken ?? null,
        stored.addedMs,
        JSON.stringify(stored.pathPrefixes ?? []),
        stored.proxyUrl ?? null,
      ],
    );
    this.#byKey.set(keyOf(stored.host, stored.port), stored);
    this.#tell();
    return stored;
  }

  /** Whether there was one to remove. */
  remove(host: string, port: number): boolean {
    this.#database.run("DELETE FROM upstreams WHERE host = ? AND port = ?", [canonicalHost(host), port]);
    const wasThere = this.#byKey.delete(keyOf(host, port));
    if (wasThere) this.#tell();
    return wasThere;
  }

  /** Calls after every change, for the life of this object. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function keyOf(host: string, port: number): string {
  return `${canonicalHost(host)} ${port}`;
}

function fromRow(row: Row): Upstream {
  return {
    host: row.host,
    port: row.port,
    caPem: row.ca_pem,
    ...(row.certificate_path === null ? {} : { certificatePath: row.certificate_path }),
    ...(row.key_path === null ? {} : { keyPath: row.key_path }),
    ...(row.kubeconfig_user === null ? {} : { kubeconfigUser: row.kubeconfig_user }),
    ...(row.server_name === null ? {} : { serverName: row.server_name }),
    source: row.source,
    ...(row.proxy_token === null ? {} : { proxyToken: row.proxy_token }),
    ...(row.path_prefixes === "[]" ? {} : { pathPrefixes: JSON.parse(row.path_prefixes) as string[] }),
    ...(row.proxy_url === null ? {} : { proxyUrl: row.proxy_url }),
    addedMs: row.added_ms,
  };
}
