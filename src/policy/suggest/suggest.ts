// Rules that would have allowed what people allowed, or what ran in observe mode: from observations
// to an edited policy, each rule with its evidence. Never from requests that were denied, seen
// once, sensitive or break-glass: those are reported and not learnt. Each learnt rule is proven
// (widens-only-by.ts) to let through only the seen requests.

import type { NameCatalogue } from "../compare/catalogue.ts";
import { atOnce, type Steps } from "../compare/steps.ts";
import { decide } from "../decide/decide.ts";
import { parsePolicy } from "../parse/parse.ts";
import type { Policy } from "../policy.ts";
import { candidatesOf, type RuleCandidate, type SuggestedRule } from "./candidates.ts";
import { textWith } from "./learnt-text.ts";
import type { Observation } from "./observations.ts";
import { type Learnt, type Objection, widensOnlyBy } from "./widens-only-by.ts";

/** One change of the policy that a log suggests. */
export interface Suggestion {
  /** The most frequent first; learnt ones before those that are held back. */
  readonly rules: readonly SuggestedRule[];
  /** The policy with everything that is learnt; the old text when nothing is. */
  readonly text: string;
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
  const { text, taken, problems } = yield* largestProven(policy, ready, catalogue, day);
  for (const one of ready)
    if (taken.includes(one)) learnt.push(one.rule);
    else heldBack.push({ ...one.rule, heldBack: problems.get(one) ?? "take the others first" });
  const often = (a: SuggestedRule, b: SuggestedRule) => b.count - a.count;
  return { rules: [...learnt.sort(often), ...heldBack.sort(often)], text };
}

/** Rules that are suggested at once: a reviewer reads no more, and each makes the proof longer. */
const MAX_LEARNT = 40;
/** Rules that are tried for them, the most frequent first. */
const MAX_TRIED = 160;

/**
 * The text with every rule that can be proven together with the others. A rule that the proof objects to is left out
 * alone: the rest of its entry does not go with it. Where nobody can tell which it is, half by half is tried.
 */
function* largestProven(
  policy: Policy,
  ready: readonly RuleCandidate[],
  catalogue: NameCatalogue,
  day: (ms: number) => string,
): Steps<{
  readonly text: string;
  readonly taken: readonly RuleCandidate[];
  readonly problems: ReadonlyMap<RuleCandidate, string>;
}> {
  const problems = new Map<RuleCandidate, string>();
  let taken: readonly RuleCandidate[] = [];
  let text = policy.text;
  const tried = ready.slice(0, MAX_TRIED);
  const queue: (readonly RuleCandidate[])[] = [];
  /** The next most frequent, in the place of those that were left out. */
  const next = () => {
    const rest = tried.filter((one) => !taken.includes(one) && !problems.has(one));
    const batch = rest.slice(0, MAX_LEARNT - taken.length);
    return batch.length === 0 ? undefined : batch;
  };
  for (
    let some: readonly RuleCandidate[] | undefined = next();
    some !== undefined;
    some = queue.shift() ?? next()
  ) {
    const together = tried.filter((one) => taken.includes(one) || some?.includes(one));
    const edited = textWith(policy, together, day);
    const learnt = new Map(together.map((one) => [learntOf(one), one]));
    const objections =
      edited === undefined ? BY_HAND : yield* objectionsTo(policy, edited, learnt, catalogue);
    const [first] = objections;
    if (first === undefined) {
      taken = together;
      text = edited ?? text;
      continue;
    }
    const own = some;
    const blamed = new Map<RuleCandidate, string>();
    for (const { why, about } of objections)
      for (const one of about) {
        const candidate = learnt.get(one);
        if (candidate !== undefined && own.includes(candidate) && !blamed.has(candidate))
          blamed.set(candidate, why);
      }
    if (own.length === 1) for (const one of own) blamed.set(one, first.why);
    for (const [one, why] of blamed) problems.set(one, why);
    const rest = own.filter((one) => !blamed.has(one));
    if (blamed.size === 0) queue.unshift(rest.slice(0, rest.length / 2), rest.slice(rest.length / 2));
    else if (rest.length > 0) queue.unshift(rest);
  }
  return { text, taken, problems };
}

const BY_HAND: readonly Objection[] = [
  { why: "the policy is written in a way that only you can edit here", about: [] },
];

function* objectionsTo(
  before: Policy,
  text: string,
  learnt: ReadonlyMap<Learnt, RuleCandidate>,
  catalogue: NameCatalogue,
): Steps<readonly Objection[]> {
  const after = parsePolicy(text);
  if ("problems" in after) return BY_HAND;
  const wider = yield* widensOnlyBy(before, after.policy, [...learnt.keys()], catalogue);
  if (wider.length > 0) return wider;
  // Where several lists are about a request, the strictest entry counts: a rule in one of them may do nothing.
  const idle = [...learnt].filter(([, { asked }]) =>
    asked.some((one) => decide(after.policy, one).action !== "allow"),
  );
  return idle.length === 0
    ? []
    : [
        {
          why: "an entry of another list, which counts too, would still ask about it",
          about: idle.map(([one]) => one),
        },
      ];
}

function learntOf({ place, token, rule, readsBody }: RuleCandidate): Learnt {
  const { protocol, command, tier } = rule;
  const scope =
    place.scope === undefined || token === undefined
      ? undefined
      : { label: place.scope.label, names: [token.text] };
  return { protocol, command, tier, scope, readsBody };
}
