// Cuts all names into cells: two names are in one cell when the same of the given globs match them.
// One name stands for each cell, so that a question about every possible name ("does any decision
// change?") has an exact answer. Walks the globs' automata together; the number of states is
// bounded, because hostile patterns can multiply them.

import type { Glob, GlobToken } from "./glob.ts";

/** A cell with one name that is in it. */
export interface GlobCell {
  readonly name: string;
  /** For each glob, in the order given, whether it matches the names of the cell. */
  readonly matched: readonly boolean[];
}

/** States that are walked at most, before the answer is that there are too many. */
export const MAX_GLOB_STATES = 20_000;

/**
 * Every cell that holds a name of at least one character, each with its shortest such name; undefined when the globs
 * would need more than `maxStates` states. Characters are tried in an order that gives readable names.
 */
export function globCells(
  globs: readonly Glob[],
  maxStates = MAX_GLOB_STATES,
): readonly GlobCell[] | undefined {
  const alphabet = representativeCodes(globs);
  const start = globs.map(({ tokens }) => closure(tokens, [0]));
  // The start is walked again when a name leads back to it: only then has it one.
  const seen = new Set<string>();
  const cells = new Map<string, GlobCell>();
  const queue: { readonly states: readonly (readonly number[])[]; readonly name: string }[] = [
    { states: start, name: "" },
  ];
  for (let at = 0; at < queue.length; at++) {
    const { states, name } = queue[at] ?? { states: start, name: "" };
    const matched = globs.map(({ tokens }, index) => states[index]?.includes(tokens.length) === true);
    const signature = matched.map(Number).join("");
    if (name !== "" && !cells.has(signature)) cells.set(signature, { name, matched });
    for (const code of alphabet) {
      const next = globs.map(({ tokens }, index) => step(tokens, states[index] ?? [], code));
      const key = keyOf(next);
      if (seen.has(key)) continue;
      if (seen.size >= maxStates) return undefined;
      seen.add(key);
      queue.push({ states: next, name: name + String.fromCharCode(code) });
    }
  }
  return [...cells.values()];
}

function keyOf(states: readonly (readonly number[])[]): string {
  return states.map((each) => each.join(",")).join(";");
}

/** Positions reachable without a character: a run may be empty. */
function closure(tokens: readonly GlobToken[], positions: readonly number[]): readonly number[] {
  const all = new Set<number>();
  for (let position of positions) {
    all.add(position);
    while (tokens[position] === "run") all.add(++position);
  }
  return [...all].sort((a, b) => a - b);
}

function step(tokens: readonly GlobToken[], positions: readonly number[], code: number): readonly number[] {
  const next: number[] = [];
  for (const position of positions) {
    const token = tokens[position];
    if (token === "run") next.push(position);
    else if (token !== undefined && accepts(token, code)) next.push(position + 1);
  }
  return closure(tokens, next);
}

function accepts(token: Exclude<GlobToken, "run">, code: number): boolean {
  if (token === "one") return true;
  if ("code" in token) return token.code === code;
  return token.ranges.some(([low, high]) => code >= low && code <= high) !== token.negated;
}

const READABLE = [..."xabcdefghijklmnopqrstuvwyz0123456789-"].map((char) => char.charCodeAt(0));

/** One character of each kind that the globs tell apart, and one that none of them names. */
function representativeCodes(globs: readonly Glob[]): readonly number[] {
  const cuts = new Set<number>([0x20]);
  for (const token of globs.flatMap(({ tokens }) => tokens)) {
    if (typeof token === "string") continue;
    const ranges = "code" in token ? [[token.code, token.code] as const] : token.ranges;
    for (const [low, high] of ranges) cuts.add(low).add(high + 1);
  }
  const bounds = [...cuts].filter((code) => code <= 0xffff).sort((a, b) => a - b);
  const kinds = new Map<number, number>();
  const kindOf = (code: number) => bounds.findLastIndex((bound) => bound <= code);
  for (const code of [...READABLE, ...bounds]) {
    const kind = kindOf(code);
    if (kind >= 0 && !kinds.has(kind)) kinds.set(kind, code);
  }
  return [...kinds.values()];
}
