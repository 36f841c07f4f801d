// A comparison of two policies in sentences for somebody who has not read the files. The command
// line, the console, the control plane and the row of an edit say the same.

import { type DecisionChange, isWidening, type PolicyDiff } from "./diff.ts";
import type { RouteChange } from "./diff-inspect.ts";

const WIDER_LINE = "the new policy lets through more";

/** The sentences, widest first. Texts come from the files and are not escaped. */
export function diffLines({ changes, routes, unknown, isWider }: PolicyDiff): readonly string[] {
  if (changes.length + routes.length + unknown.length === 0) return ["no decision differs"];
  return [
    ...new Set([
      ...unknown.map((clause) => `counts as wider: ${clause}`),
      ...routes.filter(({ effect }) => effect !== "narrower").map(describeRoute),
      ...changes.filter(isWidening).map(describeChange),
      ...routes.filter(({ effect }) => effect === "narrower").map(describeRoute),
      ...changes.filter((change) => !isWidening(change)).map(describeChange),
    ]),
    isWider ? WIDER_LINE : "the new policy lets through no more",
  ];
}

/** The heading of each change of a decision, by `from to`. */
export const HEADS: Readonly<Record<string, string>> = {
  "escalate allow": "newly allowed without asking",
  "deny allow": "newly allowed, denied before",
  "deny escalate": "newly asked about, denied before",
  "allow escalate": "newly asked about, allowed before",
  "allow deny": "newly denied, allowed before",
  "escalate deny": "newly denied, asked about before",
};

/** Operations and kinds of others that a sentence names at most. */
const MOST_NAMED = 4;

/** One change in words: what, how many operations, where. */
export function describeChange({ protocol, from, to, operations, others, place }: DecisionChange): string {
  const what = HEADS[`${from} ${to}`] ?? `${from} becomes ${to}`;
  const shown = operations.slice(0, MOST_NAMED).join(", ");
  const count = operations.length === 1 ? "1 operation" : `${operations.length} operations`;
  const known =
    operations.length === 0
      ? []
      : [`${count}${operations.length > MOST_NAMED ? `, among them ${shown}` : `: ${shown}`}`];
  const rest =
    others.length > MOST_NAMED ? [...others.slice(0, MOST_NAMED), "and others of these kinds"] : others;
  return `${protocol}: ${what}: ${[...known, ...rest].join("; ")}${place === "" ? "" : `, ${place}`}`;
}

function describeRoute({ entry, from, to, effect, ports }: RouteChange): string {
  const at = ports === undefined ? "" : ` at ${ports}`;
  if (to === "splice")
    return `inspect: '${entry}' is no longer looked into${at} (${from} before): these connections pass unread`;
  if (from === "splice") return `inspect: '${entry}' is newly looked into${at}, by ${to}`;
  if (from === to)
    return effect === "wider"
      ? `inspect: '${entry}' lets in a user who was refused before`
      : `inspect: '${entry}' no longer lets in every user who got in before`;
  return `inspect: '${entry}' is judged by ${to}${at}, by ${from} before`;
}
