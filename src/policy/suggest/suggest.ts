// Rules that would have allowed what people allowed, or what ran in observe mode: from observations
// to an edited policy, each rule with its evidence. Never from requests that were denied, seen
// once, sensitive or break-glass: those are reported and not learnt. Each learnt rule is proven
// (widens-only-by.ts) to let through only the seen requests.

import type { Protocol } from "../../model/protocol.ts";
import type { TierOrUnknown } from "../../model/tier.ts";
import type { NameCatalogue } from "../compare/catalogue.ts";
import { atOnce, type Steps } from "../compare/steps.ts";
import { addAllowed, type CommandLine, insertScopeEntry, type MapPath } from "../edit/rules-layout.ts";
import { parsePolicy } from "../parse/parse.ts";
import type { Policy } from "../policy.ts";
import type { Observation, RulePlace } from "./observations.ts";
import { type NameToken, nameTokens } from "./scope-names.ts";
import { type Learnt, widensOnlyBy } from "./widens-only-by.ts";

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
  /** Why it is not learnt, in a clause; undefined when it is. */
  readonly heldBack: string | undefined;
}

/** One change of the policy that a log suggests. */
export interface Suggestion {
  /** The most frequent first; learnt ones before those that are held back. */
  readonly rules: readonly SuggestedRule[];
  /** The policy with everything that is learnt; the old text when nothing is. */
  readonly text: string;
}

/** Requests that a rule needs. */
export const MIN_SUPPORT = 2;

interface Candidate {
  readonly place: RulePlace;
  readonly token: NameToken | undefined;
  readonly rule: SuggestedRule;
  readonly readsBody: boolean;
}

/** Suggests; `day` writes a time for the remark behind a rule. */
export function suggest(...given: Parameters<typeof suggestSteps>): Suggestion {
  return atOnce(suggestSteps(...given));
}

/** Suggests in steps. */
export function* suggestSteps(
  policy: Policy,
  observations: readonly Observation[],
  catalogue: NameCatalogue,
  day: (ms: number) => string,
): Steps<Suggestion> {
  const candidates = candidatesOf(observations);
  const heldBack: SuggestedRule[] = candidates.flatMap(({ rule }) =>
    rule.heldBack === undefined ? [] : [rule],
  );
  const learnt: SuggestedRule[] = [];
  const ready = candidates.filter(({ rule }) => rule.heldBack === undefined);
  ready.sort((a, b) => b.rule.count - a.rule.count);
  const steps = stepsOf(policy, ready.slice(0, MAX_LEARNT));
  heldBack.push(
    ...ready.slice(MAX_LEARNT).map(({ rule }) => ({ ...rule, heldBack: "take the others first" })),
  );
  const taken = yield* largestProven(policy, steps, catalogue, day);
  for (const step of steps) {
    const problem = taken.problems.get(step);
    const rules = step.candidates.map(({ rule }) => rule);
    if (problem === undefined) learnt.push(...rules);
    else heldBack.push(...rules.map((rule) => ({ ...rule, heldBack: problem })));
  }
  const { text } = taken;
  const often = (a: SuggestedRule, b: SuggestedRule) => b.count - a.count;
  return { rules: [...learnt.sort(often), ...heldBack.sort(often)], text };
}

/** Rules that are suggested at once: a reviewer reads no more, and each makes the proof longer. */
const MAX_LEARNT = 40;

/**
 * The text with all steps that can be proven together: all at once where that holds, else half by half, so that a few
 * bad ones cost few proofs.
 */
function* largestProven(
  policy: Policy,
  steps: readonly Step[],
  catalogue: NameCatalogue,
  day: (ms: number) => string,
): Steps<{ readonly text: string; readonly problems: ReadonlyMap<Step, string> }> {
  const problems = new Map<Step, string>();
  let taken: readonly Step[] = [];
  const textOf = (some: readonly Step[]) =>
    some.reduce<string | undefined>(
      (text, step) => (text === undefined ? undefined : step.edit(text, (rule) => remarkOf(rule, day))),
      policy.text,
    );
  const queue: (readonly Step[])[] = steps.length === 0 ? [] : [steps];
  for (let some = queue.shift(); some !== undefined; some = queue.shift()) {
    // In their order: places of later edits depend on it.
    const together = steps.filter((step) => taken.includes(step) || some?.includes(step));
    const edited = textOf(together);
    const learnt = together.flatMap(({ candidates }) => candidates.map(learntOf));
    const problem = edited === undefined ? BY_HAND : yield* problemWith(policy, edited, learnt, catalogue);
    const [only, second] = some;
    if (problem === undefined) taken = together;
    else if (second === undefined && only !== undefined) problems.set(only, problem);
    else queue.unshift(some.slice(0, some.length / 2), some.slice(some.length / 2));
  }
  return { text: textOf(taken) ?? policy.text, problems };
}

const BY_HAND = "the policy is written in a way that only you can edit here";

function* problemWith(
  before: Policy,
  text: string,
  learnt: readonly Learnt[],
  catalogue: NameCatalogue,
): Steps<string | undefined> {
  const after = parsePolicy(text);
  if ("problems" in after) return BY_HAND;
  return yield* widensOnlyBy(before, after.policy, learnt, catalogue);
}

/** A count and the days, for the line of the rule. */
function remarkOf({ count, firstMs, lastMs }: SuggestedRule, day: (ms: number) => string): string {
  const [first, last] = [day(firstMs), day(lastMs)];
  return `seen ${count} times, ${first === last ? first : `${first} to ${last}`}`;
}

function learntOf({ place, token, rule, readsBody }: Candidate): Learnt {
  const { protocol, command, tier } = rule;
  const scope =
    place.scope === undefined || token === undefined
      ? undefined
      : { label: place.scope.label, names: [token.text] };
  return { protocol, command, tier, scope, readsBody };
}

/** Protocols whose commands are mere methods: a rule about one says nothing about the effect. */
const BY_METHOD: ReadonlySet<Protocol> = new Set<Protocol>(["generic", "terraform", "helm"]);

function candidatesOf(observations: readonly Observation[]): readonly Candidate[] {
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
    const readsBody = group.some((one) => one.readsBody);
    return tokensOf(group).flatMap(({ token, seen }): Candidate[] => {
      const support = supportOf(seen);
      if (support.count === 0) return [];
      const scope =
        token === undefined || place.scope === undefined
          ? undefined
          : { label: place.scope.label, name: token.text, seen: token.seen };
      const denied = deniedIn(group, token);
      const heldBack = whyNot({ ...first, isMixed, denied, count: support.count });
      return [
        {
          place,
          token,
          readsBody,
          rule: { protocol: place.protocol, command, tier, scope, ...support, heldBack },
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
  if (denied > 0) return `a person, or the policy, denied it ${denied === 1 ? "once" : `${denied} times`}`;
  if (hindrance !== undefined) return hindrance;
  if (BY_METHOD.has(place.protocol)) return `'${command}' is a method, which says too little`;
  if (isMixed) return "the same command was seen with another tier";
  if (count < MIN_SUPPORT) return "it was seen once";
  return undefined;
}

interface Step {
  readonly candidates: readonly Candidate[];
  edit(text: string, remark: (rule: SuggestedRule) => string): string | undefined;
}

/**
 * Edits in an order in which places stay where they are: commands for entries that are there, then new entries from the
 * last place to the first. At one place exact names come before patterns.
 */
function stepsOf(policy: Policy, ready: readonly Candidate[]): readonly Step[] {
  const flat = ready.filter(({ token }) => token === undefined);
  const scoped = entriesOf(ready.filter(({ token }) => token !== undefined));
  const isThere = (entry: NewEntry) => namesAt(policy, entry.place) === setText(entry.names);
  const added = scoped.filter(isThere);
  const fresh = scoped.filter((entry) => !isThere(entry));
  const placed = fresh.filter(({ place }) => place.index !== undefined);
  const last = fresh.filter(({ place }) => place.index === undefined);
  // Of two entries before the same one, the later insertion stands first.
  placed.sort(
    (a, b) => (b.place.index ?? 0) - (a.place.index ?? 0) || Number(b.isPattern) - Number(a.isPattern),
  );
  last.sort((a, b) => Number(a.isPattern) - Number(b.isPattern));
  return [
    ...flat.map(
      (one): Step => ({
        candidates: [one],
        edit: (text, remark) => addAllowed(text, pathOf(one.place), linesOf([one], remark)),
      }),
    ),
    ...added.map(
      ({ place, candidates }): Step => ({
        candidates,
        edit: (text, remark) => addAllowed(text, pathOf(place), linesOf(candidates, remark)),
      }),
    ),
    ...[...placed, ...last].map(
      ({ place, names, candidates }): Step => ({
        candidates,
        edit: (text, remark) =>
          place.scope &&
          insertScopeEntry(
            text,
            { protocol: place.protocol, keyword: place.scope.keyword, index: place.index },
            { names, source: pathOf(place), lines: linesOf(candidates, remark) },
          ),
      }),
    ),
  ];
}

interface NewEntry {
  readonly place: RulePlace;
  readonly names: readonly string[];
  readonly isPattern: boolean;
  readonly candidates: readonly Candidate[];
}

/** Names for which the same commands are learnt share an entry. */
function entriesOf(candidates: readonly Candidate[]): readonly NewEntry[] {
  const byName = new Map<string, Candidate[]>();
  for (const one of candidates) {
    const key = JSON.stringify([one.place.path, one.place.scope?.keyword, one.token?.text]);
    byName.set(key, [...(byName.get(key) ?? []), one]);
  }
  const entries = new Map<
    string,
    { place: RulePlace; names: string[]; isPattern: boolean; candidates: Candidate[] }
  >();
  for (const own of byName.values()) {
    const [first] = own;
    if (first?.token === undefined) continue;
    const { place, token } = first;
    const commands = own.map(({ rule }) => rule.command).sort();
    const key = JSON.stringify([place.path, place.scope?.keyword, token.isPattern, commands]);
    const entry = entries.get(key) ?? { place, names: [], isPattern: token.isPattern, candidates: [] };
    entry.names.push(token.text);
    entry.candidates.push(...own);
    entries.set(key, entry);
  }
  return [...entries.values()];
}

function linesOf(
  candidates: readonly Candidate[],
  remark: (rule: SuggestedRule) => string,
): readonly CommandLine[] {
  const byCommand = new Map<string, SuggestedRule>();
  for (const { rule } of candidates) {
    const known = byCommand.get(rule.command);
    byCommand.set(rule.command, known === undefined ? rule : merged(known, rule));
  }
  return [...byCommand.values()].map((rule) => ({ command: rule.command, remark: remark(rule) }));
}

function merged(one: SuggestedRule, other: SuggestedRule): SuggestedRule {
  return {
    ...one,
    count: one.count + other.count,
    firstMs: Math.min(one.firstMs, other.firstMs),
    lastMs: Math.max(one.lastMs, other.lastMs),
  };
}

function pathOf({ protocol, scope, index }: RulePlace): MapPath {
  return scope === undefined || index === undefined ? [protocol] : [protocol, scope.keyword, index];
}

function namesAt(policy: Policy, { protocol, scope, index }: RulePlace): string | undefined {
  const list = policy.blocks.get(protocol)?.scopes.find(({ keyword }) => keyword === scope?.keyword);
  const entry = index === undefined ? undefined : list?.written[index];
  return entry && setText(entry.names);
}

function setText(names: readonly string[]): string {
  return JSON.stringify([...new Set(names.map((name) => name.toLowerCase()))].sort());
}
