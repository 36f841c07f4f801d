// From observations to the rules that they could become: one operation in one kind of scope, with
// its evidence and, where it must not be learnt, the reason. Owns the bans: what was denied, seen
// once, sensitive or break-glass stays with a person.

import type { Classification } from "../../model/classification.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { TierOrUnknown } from "../../model/tier.ts";
import type { Observation, RulePlace } from "./observations.ts";
import { type NameToken, nameTokens } from "./scope-names.ts";

/** How often and when something was seen. */
export interface Support {
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly hosts: readonly string[];
  /** Ids of some requests. */
  readonly examples: readonly string[];
}

/** One operation in one kind of scope, learnt or not. */
export interface SuggestedRule extends Support {
  readonly protocol: Protocol;
  readonly command: string;
  readonly tier: TierOrUnknown;
  /** `namespace` and its name or pattern; undefined for an operation without a scope. */
  readonly scope:
    | { readonly label: string; readonly name: string; readonly seen: readonly string[] }
    | undefined;
  /** How often a person, or the policy, denied the same. */
  readonly denied: number;
  /** Why it is not learnt, in a clause that rules share; undefined when it is. */
  readonly heldBack: string | undefined;
}

/** Requests that a rule needs. */
const MIN_SUPPORT = 2;

/** A rule that could be learnt, with what an edit and a proof need. */
export interface RuleCandidate {
  readonly place: RulePlace;
  readonly token: NameToken | undefined;
  readonly rule: SuggestedRule;
  /** The requests that it is about, one of each kind. */
  readonly asked: readonly Classification[];
  readonly readsBody: boolean;
}

/** Protocols whose commands are mere methods: a rule about one says nothing about the effect. */
const BY_METHOD: ReadonlySet<Protocol> = new Set<Protocol>(["generic", "terraform", "helm"]);

/** Every rule that the observations could become; those that are banned say why. */
export function candidatesOf(observations: readonly Observation[]): readonly RuleCandidate[] {
  const groups = new Map<string, Observation[]>();
  const tiers = new Map<string, Set<TierOrUnknown>>();
  for (const one of observations) {
    const { protocol, path, scope } = one.place;
    const key = JSON.stringify([protocol, path, scope?.label, one.command, one.tier, one.hindrance]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
    const name = `${protocol} ${one.command}`;
    tiers.set(name, (tiers.get(name) ?? new Set()).add(one.tier));
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { command, tier, place } = first;
    const isMixed = (tiers.get(`${place.protocol} ${command}`)?.size ?? 0) > 1;
    return tokensOf(group).flatMap(({ token, seen }): RuleCandidate[] => {
      const support = supportOf(seen);
      if (support.count === 0) return [];
      const scope =
        token === undefined || place.scope === undefined
          ? undefined
          : { label: place.scope.label, name: token.text, seen: token.seen };
      const denied = deniedIn(group, token);
      const readsBody = seen.some((one) => one.readsBody);
      const heldBack = whyNot({ ...first, isMixed, denied, count: support.count });
      return [
        {
          place,
          token,
          asked: seen.filter(({ count }) => count > 0).map(({ asked }) => asked),
          readsBody,
          rule: { protocol: place.protocol, command, tier, scope, ...support, denied, heldBack },
        },
      ];
    });
  });
}

/** The requests of a group by the name in a rule; one without a name where there is no scope. */
function tokensOf(group: readonly Observation[]): readonly {
  readonly token: NameToken | undefined;
  readonly seen: readonly Observation[];
}[] {
  const named = group.filter(({ name, count }) => name !== undefined && count > 0);
  const unnamed = group.filter(({ name }) => name === undefined);
  const tokens = nameTokens(named.flatMap(({ name }) => name ?? []));
  return [
    ...tokens.map((token) => ({ token, seen: named.filter(({ name }) => token.seen.includes(name ?? "")) })),
    ...(unnamed.length === 0 ? [] : [{ token: undefined, seen: unnamed }]),
  ];
}

function supportOf(seen: readonly Observation[]): Support {
  return {
    count: seen.reduce((sum, { count }) => sum + count, 0),
    firstMs: Math.min(...seen.map(({ firstMs }) => firstMs)),
    lastMs: Math.max(...seen.map(({ lastMs }) => lastMs)),
    hosts: [...new Set(seen.flatMap(({ hosts }) => [...hosts]))].sort(),
    examples: seen.flatMap(({ examples }) => examples).slice(0, 3),
  };
}

/** A pattern is also about names in which the same was only ever denied. */
function deniedIn(group: readonly Observation[], token: NameToken | undefined): number {
  const isMeant = (name: string | undefined) =>
    token === undefined
      ? name === undefined
      : name !== undefined &&
        nameTokens([...token.seen, name]).some(
          ({ seen }) => seen.includes(name) && seen.length >= token.seen.length,
        );
  return group.filter(({ name }) => isMeant(name)).reduce((sum, { denied }) => sum + denied, 0);
}

function whyNot({
  hindrance,
  tier,
  command,
  place,
  isMixed,
  denied,
  count,
}: Observation & { readonly isMixed: boolean }): string | undefined {
  if (tier === "break-glass") return "break-glass is never learnt";
  if (tier === "sensitive") return "sensitive requests are never learnt";
  if (denied > 0) return "a person, or the policy, denied it";
  if (hindrance !== undefined) return hindrance;
  if (BY_METHOD.has(place.protocol)) return `'${command}' is a method, which says too little`;
  if (isMixed) return "the same command was seen with another tier";
  if (count < MIN_SUPPORT) return "it was seen once";
  return undefined;
}
