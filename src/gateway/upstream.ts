// The pool of upstream connections. A connection is used again only after a complete
// request and a self-delimited reply with no byte to spare, and only for the same OS
// user, address, verified name, identity and protocol.

import type { Channel } from "./channel.ts";
import { dialTcp, dialTls, type UpstreamTrust } from "./dial.ts";

/** Where a request goes. */
export interface UpstreamTarget {
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
  /** The name that the certificate must carry; undefined for plain HTTP. */
  readonly serverName: string | undefined;
  readonly trust: UpstreamTrust | undefined;
  /** OS user of the client, as far as it is known; connections are not shared across users. */
  readonly owner: string;
}

/** A connection to an upstream, in use by one request. */
export interface UpstreamConnection {
  readonly channel: Channel;
  readonly key: string;
  /** It has carried a request before; a failure before the first byte may just mean that it went stale. */
  readonly isReused: boolean;
}

interface Idle {
  readonly channel: Channel;
  readonly since: number;
}

/** Servers commonly close idle connections after 60 s; stay below. */
const IDLE_MS = 50_000;
/** A request that must not be sent twice only rides on a connection this fresh. */
const FRESH_MS = 3_000;
const IDLE_PER_KEY = 32;
const IDLE_TOTAL = 512;

/** Dials and keeps upstream connections; one per daemon. */
export class UpstreamPool {
  readonly #idle = new Map<string, Idle[]>();
  #count = 0;
  readonly #sweeper = setInterval(() => this.#sweep(), 10_000).unref();

  /** An idle connection when there is a usable one, else a new one. Throws UpstreamError. */
  async acquire(
    target: UpstreamTarget,
    options: { readonly isIdempotent: boolean; readonly mustBeNew: boolean },
  ): Promise<UpstreamConnection> {
    const key = keyOf(target);
    if (!options.mustBeNew) {
      const channel = this.#take(key, options.isIdempotent ? IDLE_MS : FRESH_MS);
      if (channel) return { channel, key, isReused: true };
    }
    const channel =
      target.serverName === undefined || target.trust === undefined
        ? await dialTcp(target.addresses, target.port)
        : await dialTls(target.addresses, target.port, target.serverName, target.trust);
    return { channel, key, isReused: false };
  }

  #take(key: string, maxIdleMs: number): Channel | undefined {
    const idle = this.#idle.get(key);
    const now = Date.now();
    for (let entry = idle?.pop(); entry; entry = idle?.pop()) {
      this.#count -= 1;
      if (!entry.channel.isOver && entry.channel.buffered === 0 && now - entry.since < maxIdleMs)
        return entry.channel;
      entry.channel.destroy();
    }
    this.#idle.delete(key);
    return undefined;
  }

  /** Gives a connection back after a complete exchange. */
  release(connection: UpstreamConnection): void {
    const { channel, key } = connection;
    const idle = this.#idle.get(key) ?? [];
    if (channel.isOver || channel.buffered > 0 || idle.length >= IDLE_PER_KEY || this.#count >= IDLE_TOTAL) {
      channel.destroy();
      return;
    }
    idle.push({ channel, since: Date.now() });
    this.#idle.set(key, idle);
    this.#count += 1;
  }

  #sweep(): void {
    const oldest = Date.now() - IDLE_MS;
    for (const [key, idle] of this.#idle) {
      const kept = idle.filter((entry) => {
        if (entry.since > oldest && !entry.channel.isOver && entry.channel.buffered === 0) return true;
        entry.channel.destroy();
        return false;
      });
      this.#count -= idle.length - kept.length;
      if (kept.length === 0) this.#idle.delete(key);
      else this.#idle.set(key, kept);
    }
  }

  /** Closes every idle connection, e.g. when trust changed. */
  clear(): void {
    for (const idle of this.#idle.values()) for (const entry of idle) entry.channel.destroy();
    this.#idle.clear();
    this.#count = 0;
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.clear();
  }
}

function keyOf(target: UpstreamTarget): string {
  return `${target.owner}|${target.addresses[0]}:${target.port}|${target.serverName ?? "plain"}|${target.trust?.key ?? ""}`;
}
