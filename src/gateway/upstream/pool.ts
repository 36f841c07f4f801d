// The pool of upstream connections. An HTTP/1.1 connection is used again only after a
// complete request and a self-delimited reply with no byte to spare; an HTTP/2 one is
// shared at once. Both only for the same OS user, address, verified name and identity.

import { Http2Session } from "../message/http2-session.ts";
import type { Channel } from "../stream/channel.ts";
import type { Payer } from "./dial/corporate-proxy.ts";
import type { HttpVersion, UpstreamTrust } from "./dial/dial.ts";
import type { Dialler } from "./dial/dialler.ts";
import { UpstreamError } from "./upstream-error.ts";

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
  /** The client whose share of the descriptors a connection is charged to: a process where it is known, else a user. */
  readonly payer?: Payer;
  /** The client's connection that its connections belong to: kept until that ends, not for a time. */
  readonly boundTo?: Channel;
}

/** A connection to an upstream, in use by one request, or shared by several over HTTP/2. */
export type UpstreamConnection =
  | {
      readonly version: "http/1.1";
      readonly channel: Channel;
      readonly key: string;
      readonly isReused: boolean;
      readonly boundTo?: Channel | undefined;
    }
  | {
      readonly version: "h2";
      readonly session: Http2Session;
      readonly key: string;
      readonly isReused: boolean;
    };

/** A request's demands on its connection. */
export interface ConnectionNeeds {
  /** Versions that can carry it, best first. */
  readonly versions: readonly HttpVersion[];
  /** It may be sent again if the connection turns out to be stale. */
  readonly isIdempotent: boolean;
  readonly mustBeNew: boolean;
}

interface Idle {
  readonly channel: Channel;
  readonly boundTo: Channel | undefined;
  readonly since: number;
}

/** Servers commonly close idle connections after 60 s; stay below. */
const IDLE_MS = 50_000;
/** A request that must not be sent twice only rides on a connection this fresh. */
const FRESH_MS = 3_000;
/** An unused HTTP/2 connection is given up after this time. */
const SESSION_IDLE_MS = 5 * 60_000;
const IDLE_PER_KEY = 32;
const IDLE_TOTAL = 512;

/** The best version that an upstream speaks; `only-h2`: it refused to speak another. */
type KnownVersion = HttpVersion | "only-h2";

const ONLY_HTTP2 = ["h2"] as const;

/** Hosts whose HTTP version is remembered. */
const VERSIONS_MAX = 4_096;

/** Dials and keeps upstream connections; one per daemon. */
export class UpstreamPool {
  readonly #dialler: Dialler;
  readonly #idle = new Map<string, Idle[]>();
  readonly #sessions = new Map<string, Http2Session>();
  /** HTTP/2 dials under way: a burst of requests must end up on one connection. */
  readonly #dialling = new Map<string, Promise<UpstreamConnection>>();
  readonly #versions = new Map<string, KnownVersion>();
  /** Targets are shared by the requests of a client's connection. */
  readonly #keys = new WeakMap<UpstreamTarget, string>();
  #count = 0;
  readonly #sweeper = setInterval(() => this.#sweep(), 10_000).unref();

  constructor(dialler: Dialler) {
    this.#dialler = dialler;
  }

  /** A usable connection from the pool, else a new one. Throws UpstreamError. */
  async acquire(target: UpstreamTarget, needs: ConnectionNeeds): Promise<UpstreamConnection> {
    const kept = this.kept(target, needs);
    if (kept) return kept;
    const key = this.#keyOf(target);
    const isShared = this.#versionsFor(key, needs).includes("h2") && !needs.mustBeNew;
    const under = isShared ? this.#dialling.get(key) : undefined;
    if (!under) return this.#dial(target, key, needs);
    await under.catch(() => {});
    return this.kept(target, needs) ?? this.#dial(target, key, needs);
  }

  /** A usable connection from the pool. */
  kept(target: UpstreamTarget, needs: ConnectionNeeds): UpstreamConnection | undefined {
    if (needs.mustBeNew) return undefined;
    const key = this.#keyOf(target);
    const versions = this.#versionsFor(key, needs);
    const session = versions.includes("h2") ? this.#sessions.get(key) : undefined;
    if (session?.canOpen) return { version: "h2", session, key, isReused: true };
    if (!versions.includes("http/1.1")) return undefined;
    const unboundMs = needs.isIdempotent ? IDLE_MS : FRESH_MS;
    const channel = this.#take(key, target.boundTo ? Number.POSITIVE_INFINITY : unboundMs);
    return channel && { version: "http/1.1", channel, key, isReused: true, boundTo: target.boundTo };
  }

  #dial(target: UpstreamTarget, key: string, needs: ConnectionNeeds): Promise<UpstreamConnection> {
    const dial = this.#connect(target, key, needs);
    dial.catch((error: unknown) => {
      if (error instanceof UpstreamError && error.failure === "unverified") this.#unverified(target, error);
    });
    if (this.#versionsFor(key, needs).includes("h2") && target.trust !== undefined) {
      this.#dialling.set(key, dial);
      const done = () => this.#dialling.delete(key);
      dial.then(done, done);
    }
    return dial;
  }

  async #connect(target: UpstreamTarget, key: string, needs: ConnectionNeeds): Promise<UpstreamConnection> {
    const versions = this.#versionsFor(key, needs);
    const isRemembered = versions !== needs.versions;
    const { serverName, trust, boundTo } = target;
    if (serverName === undefined || trust === undefined)
      return { version: "http/1.1", channel: await this.#dialler.tcp(target), key, isReused: false, boundTo };
    const dial = (offered: readonly HttpVersion[]) => this.#dialler.tls(target, serverName, trust, offered);
    const { channel, version } = await dial(versions).catch((error: unknown) => {
      if (!isVersionRefused(error)) throw error;
      if (isRemembered) {
        // It has learnt another version since.
        this.#versions.delete(key);
        return dial(needs.versions);
      }
      // Some gRPC servers speak nothing but HTTP/2; an HTTP/1.1 client of theirs is translated for.
      if (versions.includes("h2")) throw error;
      return dial(ONLY_HTTP2);
    });
    if (!needs.versions.includes(version)) this.#remember(key, "only-h2");
    else if (!isRemembered && versions.includes("h2")) this.#remember(key, version);
    if (version === "http/1.1") return { version, channel, key, isReused: false, boundTo };
    const session = new Http2Session(channel);
    this.#sessions.get(key)?.retire();
    this.#sessions.set(key, session);
    void session.closed.then(() => {
      if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    });
    return { version, session, key, isReused: false };
  }

  #keyOf(target: UpstreamTarget): string {
    let key = this.#keys.get(target);
    if (key === undefined) {
      key = keyOf(target);
      this.#keys.set(target, key);
    }
    return key;
  }

  /** Offers only HTTP/2 to an upstream that is known to speak nothing else. */
  #versionsFor(key: string, { versions }: ConnectionNeeds): readonly HttpVersion[] {
    return this.#versions.get(key) === "only-h2" ? ONLY_HTTP2 : versions;
  }

  #remember(key: string, version: KnownVersion): void {
    const oldest = this.#versions.size >= VERSIONS_MAX ? this.#versions.keys().next().value : undefined;
    if (oldest !== undefined) this.#versions.delete(oldest);
    this.#versions.set(key, version);
  }

  /**
   * The best HTTP version that this upstream speaks. Asks it by connecting when nothing is known yet; the
   * connection is kept for the request that follows. Throws UpstreamError.
   */
  async versionOf(target: UpstreamTarget): Promise<HttpVersion> {
    const known = this.#versions.get(this.#keyOf(target));
    if (known !== undefined) return known === "only-h2" ? "h2" : known;
    const needs: ConnectionNeeds = { versions: ["h2", "http/1.1"], isIdempotent: true, mustBeNew: false };
    const connection = await this.acquire(target, needs);
    this.release(connection);
    return connection.version;
  }

  #unverified: (target: UpstreamTarget, error: UpstreamError) => void = () => {};

  /** Calls for every upstream whose certificate was not accepted, before the request that dialled it fails. */
  onUnverified(listener: (target: UpstreamTarget, error: UpstreamError) => void): void {
    this.#unverified = listener;
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

  /** Closes the connections that have been idle longest, to make room for others. */
  closeOldest(count: number): void {
    const oldest = [...this.#idle.values()].flat().sort((a, b) => a.since - b.since);
    for (const { channel } of oldest.slice(0, count)) channel.destroy();
  }

  /** Gives a connection back after a complete exchange. */
  release(connection: UpstreamConnection): void {
    if (connection.version === "h2") return;
    const { channel, key, boundTo } = connection;
    const idle = this.#idle.get(key) ?? [];
    if (
      boundTo?.isClosed === true ||
      channel.isOver ||
      channel.buffered > 0 ||
      idle.length >= IDLE_PER_KEY ||
      this.#count >= IDLE_TOTAL
    ) {
      channel.destroy();
      return;
    }
    idle.push({ channel, boundTo, since: Date.now() });
    this.#idle.set(key, idle);
    this.#count += 1;
  }

  /**
   * Closes the kept connections of a target that nobody will ask for again; a connection in use is closed
   * when it is given back.
   */
  drop(target: UpstreamTarget): void {
    const key = this.#keyOf(target);
    for (const { channel } of this.#idle.get(key) ?? []) {
      this.#count -= 1;
      channel.destroy();
    }
    this.#idle.delete(key);
    this.#versions.delete(key);
    this.#sessions.get(key)?.retire();
    this.#sessions.delete(key);
  }

  #sweep(): void {
    for (const [key, session] of this.#sessions)
      if (session.idleMs > SESSION_IDLE_MS) {
        this.#sessions.delete(key);
        session.retire();
      }
    const oldest = Date.now() - IDLE_MS;
    for (const [key, idle] of this.#idle) {
      const kept = idle.filter((entry) => {
        if (
          (entry.boundTo?.isClosed === false || entry.since > oldest) &&
          !entry.channel.isOver &&
          entry.channel.buffered === 0
        )
          return true;
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
    // Sessions end when the requests on them have; new ones go to new connections.
    for (const session of this.#sessions.values()) session.retire();
    this.#sessions.clear();
    this.#versions.clear();
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.clear();
  }
}

/** The upstream's TLS alert no_application_protocol (RFC 7301 3.2). */
function isVersionRefused(error: unknown): boolean {
  const code = ((error as Error | undefined)?.cause as NodeJS.ErrnoException | undefined)?.code ?? "";
  return code.includes("NO_APPLICATION_PROTOCOL");
}

function keyOf(target: UpstreamTarget): string {
  return `${target.owner}|${target.host}|${target.addresses[0] ?? ""}:${target.port}|${target.serverName ?? "plain"}|${target.trust?.key ?? ""}`;
}
