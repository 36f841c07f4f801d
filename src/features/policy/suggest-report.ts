// Renders the suggestions from a log in lines for a person: each rule with its evidence, the ones
// that are not learnt with the reason, and the lines that the edit would change. The command line
// and the console say the same.

import type { SuggestedRule, Suggestion } from "../../policy/suggest/suggest.ts";
import { lineDiff } from "../../text/line-diff.ts";

/** Rules that are not learnt and are listed at most; the rest are counted. */
const MAX_HELD_BACK = 40;

/** `2026-11-28`. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Lines of the report without the file's diff. Texts come from the log and are not escaped. */
export function suggestionLines({ rules }: Suggestion): readonly string[] {
  const learnt = rules.filter(({ heldBack }) => heldBack === undefined);
  const others = rules.filter(({ heldBack }) => heldBack !== undefined);
  return [
    learnt.length === 0 ? "nothing to learn" : "to be allowed without asking:",
    ...learnt.map((rule) => `  ${describeRule(rule)}`),
    ...(others.length === 0 ? [] : ["not learnt:"]),
    ...others.slice(0, MAX_HELD_BACK).map((rule) => `  # ${describeRule(rule)}: ${rule.heldBack}`),
    ...(others.length > MAX_HELD_BACK ? [`  # and ${others.length - MAX_HELD_BACK} more`] : []),
  ];
}

/** The diff of the file. */
export function suggestionDiff(before: string, { text }: Suggestion): readonly string[] {
  return lineDiff(before, text);
}

function describeRule({ protocol, command, tier, scope, ...support }: SuggestedRule): string {
  const { count, firstMs, lastMs, hosts, examples } = support;
  const place =
    scope === undefined
      ? ""
      : ` in ${scope.label} ${scope.name}${scope.seen.length > 1 ? ` (${shorten(scope.seen)})` : ""}`;
  const [first, last] = [dayOf(firstMs), dayOf(lastMs)];
  const when = first === last ? `on ${first}` : `from ${first} to ${last}`;
  const where = hosts.length === 0 ? "" : ` at ${shorten(hosts)}`;
  const example = examples[0] === undefined ? "" : `, for example request ${examples[0]}`;
  return `${protocol} ${command} (${tier})${place}: ${count === 1 ? "once" : `${count} times`} ${when}${where}${example}`;
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
