// The names of a policy that must be known by address too: its exact names, and the entries that a
// certificate's name touches. A wildcard in a certificate stands for every name below it, so it
// touches every entry that could be one of them.

import { canonicalHost } from "../../../match/destination.ts";
import { ownRoute, type Route } from "../../../policy/decide/route.ts";
import type { Policy } from "../../../policy/policy.ts";

/** The exact names that a policy inspects, whatever the port. */
export function exactNames(policy: Policy): readonly string[] {
  const names = new Set<string>();
  for (const { entry } of entriesOf(policy)) if (entry.kind === "host") names.add(entry.host);
  for (const name of policy.central === undefined ? [] : exactNames(policy.central.policy)) names.add(name);
  return [...names];
}

/** The routes that a certificate's name touches, as it is written there; `*.` stands for any one label. */
export function routesOfCertificateName(policy: Policy, name: string, port: number): readonly Route[] {
  const host = canonicalHost(name);
  if (!host.startsWith("*.")) {
    const route = ownRoute(policy, { host, port });
    return route === undefined ? [] : [route];
  }
  const rest = host.slice(1);
  const routes: Route[] = [];
  const consider = (label: string) => {
    const route = ownRoute(policy, { host: `${label}${rest}`, port });
    if (route !== undefined) routes.push(route);
  };
  // A name that is longer than any label and made of other characters: only suffixes and open globs match it.
  consider("iddio-any-name");
  for (const { entry, protocol } of entriesOf(policy)) {
    if (entry.kind === "host" && entry.host.endsWith(rest)) {
      const label = entry.host.slice(0, -rest.length);
      if (label !== "" && !label.includes(".")) consider(label);
    }
    const isAtPort = entry.port === undefined || entry.port === port;
    if (entry.kind === "glob" && isAtPort && entry.globs.some(({ tail }) => endsAlike(tail, rest)))
      routes.push({
        protocol,
        entry: entry.text,
        specificity: entry.specificity,
        isCatchAll: entry.isCatchAll,
      });
  }
  return routes;
}

/** A glob's fixed end and a wildcard's could be ends of one name. */
function endsAlike(tail: string, rest: string): boolean {
  return tail.endsWith(rest) || rest.endsWith(tail);
}

function entriesOf(policy: Policy) {
  return [...policy.blocks.values()].flatMap(({ inspect }) => inspect);
}
