// Which connections are opened, and as what. The CONNECT name, its resolved addresses
// and the SNI each may match an inspect entry; every match counts, so that no spelling
// of a destination escapes the strictest of them.

import { isAddress, wrappedIpv4 } from "../../../match/destination.ts";
import type { Protocol } from "../../../model/protocol.ts";
import { ownRoute, type Route, routeOf } from "../../../policy/decide/route.ts";
import type { Policy } from "../../../policy/policy.ts";
import type { PolicyStore } from "../../../state/policy-store.ts";
import type { AddressMemory } from "../../upstream/dial/address-memory.ts";
import type { ModeHolder } from "../mode.ts";
import { routesOfCertificateName } from "./inspected-names.ts";

/** A destination under all the names it goes by. */
export interface Destination {
  /** Host of the CONNECT or absolute-form target in the spelling of `canonicalHost`, without brackets. */
  readonly host: string;
  readonly port: number;
  /** The addresses of the host; empty until it was resolved. */
  readonly addresses: readonly string[];
  /** From the ClientHello, lower case, no trailing dot; undefined when there was none. */
  readonly serverName: string | undefined;
  /** Alternative names of the certificate that the server was seen to show, where it had to be looked at. */
  readonly shownNames?: readonly string[];
}

/** Asks policy and mode what to do with a destination. */
export class Inspection {
  readonly #policy: PolicyStore;
  readonly #mode: ModeHolder;
  readonly #memory: AddressMemory;
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
    memory: AddressMemory;
    isDedicated?: (host: string, port: number) => boolean;
  }) {
    this.#isDedicated = parts.isDedicated ?? (() => false);
    this.#policy = parts.policy;
    this.#mode = parts.mode;
    this.#memory = parts.memory;
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

  /** Says that a destination goes by the names of another one, for which the same was found. */
  findsTheSame(known: Destination, destination: Destination): void {
    const found = this.#known.get(known);
    if (found !== undefined) this.#known.set(destination, found);
  }

  /** Whether a name by itself, without the addresses behind it, is inspected. */
  inspectsName(name: string, port: number): boolean {
    return this.#mode.isInspecting && routeOf(this.#policy.current, { host: name, port }) !== undefined;
  }

  /** Whether a destination that nothing inspects must be looked at: it is a literal address, or has that of an inspected name. */
  isWorthALook({ host, addresses }: Destination): boolean {
    return isAddress(host) || addresses.some((address) => this.#memory.namesOf(address).length > 0);
  }

  /** Whether the control plane's policy inspects it, so that nothing on this machine may let it pass unread. */
  isBound(destination: Destination): boolean {
    const { central } = this.#policy.current;
    return central !== undefined && this.#protocolsBy(central.policy, destination).length > 0;
  }

  /** Each policy names its own protocols: an entry of one must not take a host away from the other. */
  #find(destination: Destination): readonly Protocol[] {
    const { current } = this.#policy;
    const own = this.#protocolsBy(current, destination);
    if (current.central === undefined) return own;
    return [...new Set([...own, ...this.#protocolsBy(current.central.policy, destination)])];
  }

  #protocolsBy(policy: Policy, destination: Destination): readonly Protocol[] {
    const { host, port, addresses, serverName, shownNames } = destination;
    const routes: Route[] = [];
    const consider = (name: string): Route | undefined => {
      const route = ownRoute(policy, { host: name, port });
      if (route) routes.push(route);
      return route;
    };
    const own = consider(host);
    for (const address of addresses) {
      if (address !== host) consider(address);
      // An IPv4 address inside an IPv6 one (NAT64, 6to4) reaches the same machine.
      const wrapped = wrappedIpv4(address);
      if (wrapped === undefined) continue;
      consider(wrapped);
      for (const name of this.#memory.namesOf(wrapped)) consider(name);
    }
    if (serverName !== undefined && serverName !== host) consider(serverName);
    // An agent may dial by address a host that it may not reach by name.
    if (isAddress(host)) for (const name of this.#memory.namesOf(host)) consider(name);
    // Nor by another name of the same server; addresses that many hosts share say nothing.
    for (const address of addresses)
      for (const other of this.#memory.namesOf(address))
        if (other !== host && this.#isDedicated(other, port)) consider(other);
    for (const name of shownNames ?? []) routes.push(...routesOfCertificateName(policy, name, port));
    // `*` matches every address of a host that a protocol names; it must not judge beside that protocol.
    const named = routes.filter((route) => !route.isCatchAll);
    // Only hosts named themselves: under `*`, or by an address of theirs, any name could take over what belongs to others.
    if (own !== undefined && !own.isCatchAll) this.#memory.note(host, addresses, own.entry);
    return [...new Set((named.length > 0 ? named : routes).map((route) => route.protocol))];
  }
}
