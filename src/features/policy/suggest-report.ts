// Renders the suggestions from a log in lines for a person: each rule with its evidence, the ones
// that are not learnt below the reason that they share, and the lines that the edit would change.
// One command in several scopes is one line. The command line and the console say the same.

import type { SuggestedRule } from "../../policy/suggest/candidates.ts";
import type { Suggestion } from "../../policy/suggest/suggest.ts";
import { lineDiff } from "../../text/line-diff.ts";

/** Rows below one reason that are listed at most; the rest are counted. */
const MAX_ROWS = 10;
/** Reasons that are listed at most. */
const MAX_REASONS = 20;

/** `2026-11-28`. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Lines of the report without the file's diff. Texts come from the log and are not escaped. */
export function suggestionLines({ rules }: Suggestion): readonly string[] {
  const learnt = rules.filter(({ heldBack }) => heldBack === undefined);
  const reasons = groupedBy(rules, ({ heldBack }) => heldBack);
  const shown = reasons.slice(0, MAX_REASONS);
  return [
    learnt.length === 0 ? "nothing to learn" : "to be allowed without asking:",
    ...byCommand(learnt).map((same) => `  ${describeRules(same)}`),
    ...(reasons.length === 0 ? [] : ["not learnt:"]),
    ...shown.flatMap(([reason, held]) => reasonLines(reason, byCommand(held))),
    ...(reasons.length > shown.length ? [`  # and ${reasons.length - shown.length} more reasons`] : []),
  ];
}

function reasonLines(reason: string, rows: readonly (readonly SuggestedRule[])[]): readonly string[] {
  return [
    `  # ${reason}:`,
    ...rows.slice(0, MAX_ROWS).map((same) => `  #   ${describeRules(same)}`),
    ...(rows.length > MAX_ROWS ? [`  #   and ${rows.length - MAX_ROWS} more`] : []),
  ];
}

/** The diff of the file. */
export function suggestionDiff(before: string, { text }: Suggestion): readonly string[] {
  return lineDiff(before, text);
}

/** Rules that differ in their scope alone, in the order of the first of each. */
function byCommand(rules: readonly SuggestedRule[]): readonly (readonly SuggestedRule[])[] {
  return groupedBy(rules, ({ protocol, command, tier, scope }) =>
    JSON.stringify([protocol, command, tier, scope?.label]),
  ).map(([, same]) => same);
}

function groupedBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string | undefined,
): readonly (readonly [key: string, items: readonly Item[]])[] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups];
}

/** One or more rules that differ in their scope alone. */
function describeRules(rules: readonly SuggestedRule[]): string {
  const [first] = rules;
  if (first === undefined) return "";
  const { protocol, command, tier } = first;
  const count = rules.reduce((sum, rule) => sum + rule.count, 0);
  const [begin, end] = [
    dayOf(Math.min(...rules.map(({ firstMs }) => firstMs))),
    dayOf(Math.max(...rules.map(({ lastMs }) => lastMs))),
  ];
  const when = begin === end ? `on ${begin}` : `from ${begin} to ${end}`;
  const hosts = [...new Set(rules.flatMap((rule) => rule.hosts))];
  const where = hosts.length === 0 ? "" : ` at ${shorten(hosts)}`;
  const id = first.examples[0];
  const example = id === undefined ? "" : `, for example request ${id}`;
  const denied = rules.reduce((sum, rule) => sum + rule.denied, 0);
  const refused = denied === 0 ? "" : `, denied ${timesOf(denied)}`;
  return `${protocol} ${command} (${tier})${placesOf(rules)}: ${timesOf(count)}${refused} ${when}${where}${example}`;
}

function timesOf(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

/** Every scope of a rule that is learnt is named: it is what a person is asked to agree to. */
function placesOf(rules: readonly SuggestedRule[]): string {
  const scopes = rules.flatMap(({ scope }) => scope ?? []);
  const [first] = scopes;
  if (first === undefined) return "";
  const isLearnt = rules[0]?.heldBack === undefined;
  const names = scopes.map(({ name, seen }) => (seen.length > 1 ? `${name} (${shorten(seen)})` : name));
  return ` in ${first.label}${names.length > 1 ? "s" : ""} ${isLearnt ? names.join(", ") : shorten(names)}`;
}

function shorten(texts: readonly string[]): string {
  return texts.length > 3 ? `${texts.slice(0, 3).join(", ")} and ${texts.length - 3} more` : texts.join(", ");
}

/** A rule as JSON, for the command line and the control API. */
export function ruleJson({ firstMs, lastMs, heldBack, scope, ...rest }: SuggestedRule) {
  return {
    ...rest,
    hosts: [...rest.hosts],
    examples: [...rest.examples],
    ...(scope === undefined ? {} : { scope: { ...scope, seen: [...scope.seen] } }),
    first_ms: firstMs,
    last_ms: lastMs,
    ...(heldBack === undefined ? {} : { not_learnt: heldBack }),
  };
}
