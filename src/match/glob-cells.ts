// Cuts all names into cells: two names are in one cell when the same of the given globs match them.
// One name stands for each cell, so that a question about every possible name ("does any decision
// change?") has an exact answer. Walks the globs' automata together; the number of states is
// bounded, because hostile patterns can multiply them.

import { type Glob, type GlobToken, isOfPart } from "./glob.ts";

/** A cell with one name that is in it. */
export interface GlobCell {
  readonly name: string;
  /** For each glob, in the order given, whether it matches the names of the cell. */
  readonly matched: readonly boolean[];
}

/** Maximum number of states that are walked; beyond it the answer is "too many". */
export const MAX_GLOB_STATES = 20_000;

/**
 * Every cell that holds a name of at least one character, each with a short such name; undefined when the globs would need
 * more than `maxStates` states. Characters are tried in an order that gives readable names. No name begins or ends with
 * white space, and none has two spaces in a row: nothing is called so.
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
    const isOpen = name === "" || name.endsWith(" ");
    if (!isOpen && !cells.has(signature))
      cells.set(signature, { name: readable(name, matched, globs), matched });
    for (const code of alphabet) {
      if (code === SPACE && isOpen) continue;
      const next = globs.map(({ tokens }, index) => step(tokens, states[index] ?? NOWHERE, code));
      const key = code === SPACE ? `${keyOf(next)} ` : keyOf(next);
      if (seen.has(key)) continue;
      if (seen.size >= maxStates) return undefined;
      seen.add(key);
      queue.push({ states: next, name: name + String.fromCharCode(code) });
    }
  }
  return [...cells.values()];
}

const SPACE = 0x20;
const NOWHERE: readonly number[] = [];

/** The text before and behind the free word of a name. */
export interface WordFrame {
  readonly before: string;
  readonly after: string;
}

/**
 * The cells of names with one free word without white space. Each shape is the names of one request, with the same word in
 * all of them; a glob matches where it matches one of them. `name` is the word. Undefined as above.
 */
export function wordCells(
  globs: readonly Glob[],
  shapes: readonly (readonly WordFrame[])[],
  maxStates = MAX_GLOB_STATES,
): readonly (readonly GlobCell[])[] | undefined {
  const alphabet = representativeCodes(globs).filter((code) => code !== SPACE);
  const found = shapes.map(() => new Map<string, GlobCell>());
  const groups = new Map<string, number[]>();
  for (const [index, frames] of shapes.entries()) {
    const key = JSON.stringify(frames.map(({ before }) => before));
    groups.set(key, [...(groups.get(key) ?? []), index]);
  }
  for (const members of groups.values()) {
    // Shapes that begin alike are walked together.
    const befores = shapes[members[0] ?? 0]?.map(({ before }) => before) ?? [];
    const start = befores.flatMap((before) =>
      globs.map(({ tokens }) => walk(tokens, closure(tokens, [0]), before)),
    );
    const seen = new Set<string>();
    const queue: { readonly states: readonly (readonly number[])[]; readonly name: string }[] = [
      { states: start, name: "" },
    ];
    for (let at = 0; at < queue.length; at++) {
      const { states, name } = queue[at] ?? { states: start, name: "" };
      for (const index of name === "" ? [] : members) {
        const matched = globs.map(
          ({ tokens }, glob) =>
            shapes[index]?.some(({ after }, track) =>
              walk(tokens, states[track * globs.length + glob] ?? NOWHERE, after).includes(tokens.length),
            ) === true,
        );
        const signature = matched.map(Number).join("");
        if (found[index]?.has(signature) === false) found[index]?.set(signature, { name, matched });
      }
      for (const code of alphabet) {
        const next = states.map((each, index) => step(globs[index % globs.length]?.tokens ?? [], each, code));
        const key = keyOf(next);
        if (seen.has(key)) continue;
        if (seen.size >= maxStates) return undefined;
        seen.add(key);
        queue.push({ states: next, name: name + String.fromCharCode(code) });
      }
    }
  }
  return found.map((cells) => [...cells.values()]);
}

function walk(tokens: readonly GlobToken[], from: readonly number[], text: string): readonly number[] {
  let positions = from;
  for (let at = 0; at < text.length && positions.length > 0; at++)
    positions = step(tokens, positions, text.charCodeAt(at));
  return positions;
}

/** A name of the same cell that begins and ends with a letter or a figure, where adding one is enough. */
function readable(name: string, matched: readonly boolean[], globs: readonly Glob[]): string {
  const isSame = (other: string) => globs.every((glob, index) => glob.test(other) === matched[index]);
  const better = [name, `${name}x`, `x${name}`, `x${name}x`].find(
    (other) => /^[a-z0-9](?:.*[a-z0-9])?$/i.test(other) && isSame(other),
  );
  return better ?? name;
}

function keyOf(states: readonly (readonly number[])[]): string {
  return states.map((each) => each.join(",")).join(";");
}

/** Positions reachable without a character: a run may be empty. */
function closure(tokens: readonly GlobToken[], positions: readonly number[]): readonly number[] {
  const all = new Set<number>();
  for (let position of positions) {
    all.add(position);
    while (isRun(tokens[position])) all.add(++position);
  }
  return [...all].sort((a, b) => a - b);
}

function step(tokens: readonly GlobToken[], positions: readonly number[], code: number): readonly number[] {
  if (positions.length === 0) return positions;
  const next: number[] = [];
  for (const position of positions) {
    const token = tokens[position];
    if (isRun(token)) {
      if (token === "run" || isOfPart(code)) next.push(position);
    } else if (token !== undefined && accepts(token, code)) next.push(position + 1);
  }
  return closure(tokens, next);
}

function isRun(token: GlobToken | undefined): token is "run" | "part" {
  return token === "run" || token === "part";
}

function accepts(token: Exclude<GlobToken, "run" | "part">, code: number): boolean {
  if (token === "one") return true;
  if ("code" in token) return token.code === code;
  return token.ranges.some(([low, high]) => code >= low && code <= high) !== token.negated;
}

const READABLE = [..."xabcdefghijklmnopqrstuvwyz0123456789-"].map((char) => char.charCodeAt(0));

/** One character of each kind that the globs tell apart, and one that none of them names. */
function representativeCodes(globs: readonly Glob[]): readonly number[] {
  // White space is a kind of its own.
  const cuts = new Set<number>([SPACE, SPACE + 1]);
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
