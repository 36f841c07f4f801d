// Which connections are opened, and as what. The CONNECT name, its resolved addresses
// and the SNI each may match an inspect entry; every match counts, so that no spelling
// of a destination escapes the strictest of them.

import type { Protocol } from "../../model/protocol.ts";
import { type Route, routeOf } from "../../policy/decide/route.ts";
import type { Policy } from "../../policy/policy.ts";
import type { PolicyStore } from "../../state/policy-store.ts";
import type { Resolver } from "../upstream/resolver.ts";
import type { ModeHolder } from "./mode.ts";

/** A destination under all the names it goes by. */
export interface Destination {
  /** Host of the CONNECT or absolute-form target: lower case, no trailing dot, no brackets. */
  readonly host: string;
  readonly port: number;
  /** What the host resolved to; empty until it was. */
  readonly addresses: readonly string[];
  /** From the ClientHello, lower case, no trailing dot; undefined when there was none. */
  readonly serverName: string | undefined;
}

/** Asks policy and mode what to do with a destination. */
export class Inspection {
  readonly #policy: PolicyStore;
  readonly #mode: ModeHolder;
  readonly #resolver: Resolver;
  readonly #isDedicated: (host: string, port: number) => boolean;
  /** A kept connection asks for every request; the answer only changes with the policy. */
  readonly #known = new WeakMap<
    Destination,
    { readonly policy: Policy; readonly protocols: readonly Protocol[] }
  >();

  /** `isDedicated`: whether an upstream with a CA of its own answers there, so that its address is nobody else's. */
  constructor(parts: {
    policy: PolicyStore;
    mode: ModeHolder;
    resolver: Resolver;
    isDedicated?: (host: string, port: number) => boolean;
  }) {
    this.#isDedicated = parts.isDedicated ?? (() => false);
    this.#policy = parts.policy;
    this.#mode = parts.mode;
    this.#resolver = parts.resolver;
  }

  /** The policy in force. */
  get policy(): Policy {
    return this.#policy.current;
  }

  /** Goes up with every policy that takes effect. */
  get revision(): number {
    return this.#policy.revision;
  }

  /** The protocols that must judge requests to this destination; empty: it is not inspected. */
  protocolsOf(destination: Destination): readonly Protocol[] {
    if (!this.#mode.isInspecting) return [];
    const { current } = this.#policy;
    const known = this.#known.get(destination);
    if (known?.policy === current) return known.protocols;
    const protocols = this.#find(destination);
    this.#known.set(destination, { policy: current, protocols });
    return protocols;
  }

  /** Whether a name by itself, without the addresses behind it, is inspected. */
  inspectsName(name: string, port: number): boolean {
    return this.#mode.isInspecting && routeOf(this.#policy.current, { host: name, port }) !== undefined;
  }

  #find(destination: Destination): readonly Protocol[] {
    const { host, port, addresses, serverName } = destination;
    const routes: Route[] = [];
    const consider = (name: string) => {
      const route = routeOf(this.#policy.current, { host: name, port });
      if (route) routes.push(route);
    };
    consider(host);
    for (const address of addresses) if (address !== host) consider(address);
    if (serverName !== undefined && serverName !== host) consider(serverName);
    // An agent may dial by address what it is not let do by name.
    const alias = this.#resolver.inspectedNameOf(host);
    if (alias !== undefined) consider(alias);
    // Nor by another name of the same server; addresses that many hosts share say nothing.
    for (const address of addresses) {
      const other = this.#resolver.inspectedNameOf(address);
      if (other !== undefined && other !== host && this.#isDedicated(other, port)) consider(other);
    }
    // `*` matches every address of a host that a protocol names; it must not judge beside that protocol.
    const named = routes.filter((route) => !route.isCatchAll);
    // Only named hosts: under `*` any name that resolves to the same address would take over its memory.
    if (named.length > 0 && addresses.length > 0) this.#resolver.noteInspected(host, addresses);
    return [...new Set((named.length > 0 ? named : routes).map((route) => route.protocol))];
  }
}
