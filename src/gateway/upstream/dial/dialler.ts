// Opens every connection to the outside, straight or through the corporate proxy. Anyone who
// needs a connection says where to and how it must be verified; the way there is decided
// here, by the settings in force.

import type { Settings } from "../../../state/settings/settings.ts";
import type { Channel } from "../../stream/channel.ts";
import { type NoRoom, Shares } from "../../stream/shares.ts";
import { UpstreamError } from "../upstream-error.ts";
import {
  type CorporateProxy,
  connectThrough,
  corporateProxy,
  type Payer,
  type ProxiedDestination,
} from "./corporate-proxy.ts";
import {
  type Charge,
  dialTcp,
  dialTls,
  type HttpVersion,
  secureChannel,
  type TlsConnection,
  type UpstreamTrust,
} from "./dial.ts";
import type { Resolver } from "./resolver.ts";
import { connectBySocks } from "./socks-proxy.ts";

/** From this part of the bound on, a connection is charged to a process where one can be found. */
const CROWDED_PART = 0.2;
/** TLS upstreams that one client may have open: each costs a quarter of a megabyte before it has said anything. */
const TLS_PART = 0.25;
const TLS_MOST = 1_024;
/** As many as this it may always have, where the general share leaves so many. */
const TLS_FEWEST = 64;
/** Finding it takes milliseconds, but for a machine that has much to do. */
const IDENTIFY_MS = 5_000;

/** Dials for the gateway; one per daemon. */
export class Dialler {
  readonly #resolver: Resolver;
  readonly #settings: () => Settings;
  readonly #descriptors: Shares;
  readonly #tlsShares: Shares;
  #makeRoom: () => void = () => {};
  readonly #proxyOf: (host: string, port: number) => string | undefined;
  readonly #trustFor: (host: string, port: number) => UpstreamTrust;
  #proxy: { readonly key: string; readonly proxy: CorporateProxy | undefined } | undefined;

  constructor(parts: {
    resolver: Resolver;
    settings: () => Settings;
    trustFor: (host: string, port: number) => UpstreamTrust;
    /** The proxy of an upstream's own, before the one of the settings. */
    proxyOf?: (host: string, port: number) => string | undefined;
    descriptors: Shares;
  }) {
    this.#descriptors = parts.descriptors;
    this.#tlsShares = new Shares(
      parts.descriptors.limit,
      undefined,
      Math.min(TLS_MOST, Math.max(TLS_FEWEST, parts.descriptors.limit * TLS_PART)),
    );
    this.#trustFor = parts.trustFor;
    this.#proxyOf = parts.proxyOf ?? (() => undefined);
    this.#resolver = parts.resolver;
    this.#settings = parts.settings;
  }

  /** Calls when there is no descriptor left, so that kept connections are closed. */
  onFull(makeRoom: () => void): void {
    this.#makeRoom = makeRoom;
  }

  #chargeTo(client: Payer | undefined, shares: readonly Shares[] = [this.#descriptors]): Charge {
    const pay = async () => {
      // Once it is crowded processes are told apart: what one has must not count for its user's others.
      if (client && this.#descriptors.total > this.#descriptors.limit * CROWDED_PART)
        await Promise.race([client.identified(), Bun.sleep(IDENTIFY_MS)]);
      const payer = client?.payer ?? "";
      let problem = takeAll(shares, payer);
      if (problem !== undefined) {
        this.#makeRoom();
        // A socket is closed at the end of the turn.
        await new Promise<void>((resolve) => setImmediate(resolve));
        problem = takeAll(shares, payer);
      }
      if (problem !== undefined)
        throw new UpstreamError(
          "busy",
          problem === "share"
            ? "this client has its share of the connections to upstreams open already"
            : "as many connections are open as iddio may have",
          { wasUnprocessed: true },
        );
      return () => {
        for (const each of shares) each.give(payer);
      };
    };
    return { client, pay };
  }

  /** The upstream's own proxy or the corporate one for a destination; undefined when it is reached straight. */
  #proxyFor(destination: ProxiedDestination): CorporateProxy | undefined {
    const own = this.#proxyOf(destination.host, destination.port);
    if (own !== undefined) return corporateProxy(own, "");
    const { upstream_proxy, upstream_no_proxy } = this.#settings();
    const key = `${upstream_proxy} ${upstream_no_proxy}`;
    if (this.#proxy?.key !== key)
      this.#proxy = { key, proxy: corporateProxy(upstream_proxy, upstream_no_proxy) };
    const { proxy } = this.#proxy;
    return proxy && !proxy.bypasses(destination) ? proxy : undefined;
  }

  /**
   * The addresses of a host. Empty when only the corporate proxy can resolve it; such a host is known by its
   * name alone. Throws UpstreamError.
   */
  async resolve(host: string, port: number): Promise<readonly string[]> {
    try {
      return await this.#resolver.resolve(host);
    } catch (error) {
      if (this.#proxyFor({ host, port, addresses: [] })) return [];
      throw error;
    }
  }

  /** A plain connection. Throws UpstreamError. */
  async tcp(destination: ProxiedDestination): Promise<Channel> {
    const proxy = this.#proxyFor(destination);
    return proxy
      ? this.#through(proxy, destination)
      : dialTcp(destination.addresses, destination.port, this.#chargeTo(destination.payer));
  }

  /** A connection on which `serverName` proved itself by `trust`. Throws UpstreamError. */
  async tls(
    destination: ProxiedDestination,
    serverName: string,
    trust: UpstreamTrust,
    versions: readonly HttpVersion[],
  ): Promise<TlsConnection> {
    const proxy = this.#proxyFor(destination);
    if (!proxy) {
      const charge = this.#chargeTo(destination.payer, [this.#descriptors, this.#tlsShares]);
      return dialTls(destination.addresses, destination.port, serverName, trust, versions, charge);
    }
    const channel = await this.#through(proxy, destination);
    return secureChannel(
      channel,
      `${destination.host}:${destination.port}`,
      serverName,
      trust,
      versions,
      destination.payer,
    );
  }

  async #through(proxy: CorporateProxy, destination: ProxiedDestination): Promise<Channel> {
    const channel = await this.#toProxy(proxy, this.#chargeTo(destination.payer));
    if (proxy.socks) await connectBySocks(channel, proxy.socks, destination);
    else await connectThrough(channel, proxy, destination);
    return channel;
  }

  /** The proxy's own certificate is verified as any client of it would. */
  async #toProxy(proxy: CorporateProxy, charge: Charge): Promise<Channel> {
    const addresses = await this.#resolver.resolve(proxy.host);
    if (!proxy.isTls) return dialTcp(addresses, proxy.port, charge);
    const trust = this.#trustFor(proxy.host, proxy.port);
    return (await dialTls(addresses, proxy.port, proxy.host, trust, ["http/1.1"], charge)).channel;
  }
}

/** Takes one of each, or none. */
function takeAll(shares: readonly Shares[], payer: string): NoRoom | undefined {
  for (const [index, each] of shares.entries()) {
    const problem = each.take(payer);
    if (problem === undefined) continue;
    for (const taken of shares.slice(0, index)) taken.give(payer);
    return problem;
  }
  return undefined;
}
