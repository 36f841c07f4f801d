// Compares two policies by the connections that they look into, and by whose rules. Asks the very
// look-up that the gateway asks, for a destination of each kind that the entries can tell apart: a
// renamed, repeated or moved entry that changes nothing is not told. A connection that passes
// unread or gets other rules counts as wider.

import { InspectIndex } from "../../match/inspect-index.ts";
import type { Protocol } from "../../model/protocol.ts";
import { ownRoute } from "../decide/route.ts";
import type { ListedEntry, Policy } from "../policy.ts";
import { type Destinations, destinationsOf } from "./destinations.ts";

/** A change to what is looked into; `entry` is as typed. */
export interface RouteChange {
  readonly entry: string;
  readonly from: Protocol | "splice";
  readonly to: Protocol | "splice";
  readonly effect: "wider" | "narrower" | "other rules";
  /** At which ports, in words; undefined for all that the entry is about. */
  readonly ports?: string;
}

/** Every change, or a clause that says why nobody can tell. */
export function diffInspect(
  before: Policy,
  after: Policy,
): { readonly routes: readonly RouteChange[]; readonly unknown?: string } {
  const [was, is] = [entriesOf(before), entriesOf(after)];
  if (was.map(spelled).join("\n") === is.map(spelled).join("\n")) return { routes: [] };
  const destinations = destinationsOf([...was, ...is].map(({ entry }) => entry));
  if (destinations === undefined)
    return { routes: [], unknown: "the hosts that are looked into overlap in too many ways to compare" };
  return { routes: [...changedRoutes(before, after, destinations), ...changedUsers(was, is, destinations)] };
}

interface Change extends Omit<RouteChange, "ports"> {
  /** By host: the ports at which it changes. */
  readonly ports: Map<string, number[]>;
}

function changedRoutes(
  before: Policy,
  after: Policy,
  { hosts, ports, otherPort }: Destinations,
): readonly RouteChange[] {
  const changes = new Map<string, Change>();
  const old = new Set(entriesOf(before).map(spelled));
  const added = new Set(
    entriesOf(after).flatMap((each) =>
      old.has(spelled(each)) ? [] : [`${each.protocol} ${each.entry.text}`],
    ),
  );
  const kept = new Map<string, number[]>();
  for (const host of hosts)
    for (const port of ports) {
      const [past, fresh] = [ownRoute(before, { host, port }), ownRoute(after, { host, port })];
      const [from, to]: RouteChange["from"][] = [past?.protocol ?? "splice", fresh?.protocol ?? "splice"];
      if (from === undefined || to === undefined || from === to) {
        if (past !== undefined) kept.set(host, [...(kept.get(host) ?? []), port]);
        continue;
      }
      // Where another entry takes over that was there before, the one that is gone is the change.
      const isAdded = from === "splice" || added.has(`${to} ${fresh?.entry}`);
      const entry = (to !== "splice" && isAdded ? fresh?.entry : past?.entry) ?? "";
      const key = `${from} ${to} ${entry}`;
      const effect = to === "splice" ? "wider" : from === "splice" ? "narrower" : "other rules";
      const change: Change = changes.get(key) ?? { entry, from, to, effect, ports: new Map() };
      changes.set(key, change);
      change.ports.set(host, [...(change.ports.get(host) ?? []), port]);
    }
  return [...changes.values()].map(({ ports: changed, ...change }): RouteChange => {
    const [[host = "", at = []] = []] = changed;
    const others = kept.get(host) ?? [];
    if (others.length === 0) return change;
    const words = at.includes(otherPort)
      ? `every port but ${listed(others.filter((port) => port !== otherPort))}`
      : `port ${listed(at)}`;
    return { ...change, ports: words };
  });
}

/** Of SSH: who may be meant by `user@host` entries. Somebody who is not listed is refused. */
function changedUsers(
  was: readonly ListedEntry[],
  is: readonly ListedEntry[],
  { hosts, ports }: Destinations,
): readonly RouteChange[] {
  const changes = new Map<string, RouteChange>();
  for (const host of hosts)
    for (const port of ports) {
      const [old, fresh] = [usersAt(was, host, port), usersAt(is, host, port)];
      if (old === undefined || fresh === undefined) continue;
      const added = fresh.users.find((user) => !old.users.includes(user) && !old.users.includes(""));
      const removed = old.users.find((user) => !fresh.users.includes(user) && !fresh.users.includes(""));
      if (added === undefined && removed === undefined) continue;
      const entry = added === undefined ? old.entry : fresh.entry;
      const effect = added === undefined ? "narrower" : "wider";
      changes.set(`${entry} ${effect}`, { entry, from: "ssh", to: "ssh", effect });
    }
  return [...changes.values()];
}

/** The users that entries of `ssh` name for a destination, "" for any; undefined where none covers it. */
function usersAt(
  entries: readonly ListedEntry[],
  host: string,
  port: number,
): { readonly users: readonly string[]; readonly entry: string } | undefined {
  const found = entries.filter(
    ({ protocol, entry }) =>
      protocol === "ssh" && new InspectIndex([{ entry, value: 0 }]).lookup(host, port) !== undefined,
  );
  const [first] = found;
  return first && { users: found.map(({ entry }) => entry.user ?? ""), entry: first.entry.text };
}

function listed(ports: readonly number[]): string {
  return ports.join(" and ");
}

function spelled({ protocol, entry: { host, port, user } }: ListedEntry): string {
  return JSON.stringify([protocol, host, port, user]);
}

function entriesOf(policy: Policy): readonly ListedEntry[] {
  return [...policy.blocks.values()].flatMap(({ inspect }) => inspect);
}
