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
  const start = automataOf(globs).map(({ start: each }) => each);
  // The start is walked again when a name leads back to it: only then has it one.
  const seen = new Set<string>();
  const cells = new Map<string, GlobCell>();
  const queue: { readonly states: readonly State[]; readonly name: string }[] = [{ states: start, name: "" }];
  for (let at = 0; at < queue.length; at++) {
    const { states, name } = queue[at] ?? { states: start, name: "" };
    const matched = globs.map(() => false);
    for (const { isEnd, automaton } of states) if (isEnd) matched[automaton.index] = true;
    const signature = matched.map(Number).join("");
    const isOpen = name === "" || name.endsWith(" ");
    if (!isOpen && !cells.has(signature))
      cells.set(signature, { name: readable(name, matched, globs), matched });
    for (const code of alphabet) {
      if (code === SPACE && isOpen) continue;
      const next = stepAll(states, code);
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
  const automata = automataOf(globs);
  const found = shapes.map(() => new Map<string, GlobCell>());
  const groups = new Map<string, number[]>();
  for (const [index, frames] of shapes.entries()) {
    const key = JSON.stringify(frames.map(({ before }) => before));
    groups.set(key, [...(groups.get(key) ?? []), index]);
  }
  for (const members of groups.values()) {
    // Shapes that begin alike are walked together.
    const befores = shapes[members[0] ?? 0]?.map(({ before }) => before) ?? [];
    const start = befores.map((before) =>
      automata.map((automaton) => automaton.walk(automaton.start, before)).filter(isAlive),
    );
    const seen = new Set<string>();
    const queue: { readonly tracks: readonly (readonly State[])[]; readonly name: string }[] = [
      { tracks: start, name: "" },
    ];
    for (let at = 0; at < queue.length; at++) {
      const { tracks, name } = queue[at] ?? { tracks: start, name: "" };
      for (const index of name === "" ? [] : members) {
        const matched = globs.map(() => false);
        for (const [track, states] of tracks.entries()) {
          const after = shapes[index]?.[track]?.after;
          if (after === undefined) continue;
          for (const state of states)
            if (state.automaton.endsBehind(state, after)) matched[state.automaton.index] = true;
        }
        const signature = matched.map(Number).join("");
        if (found[index]?.has(signature) === false) found[index]?.set(signature, { name, matched });
      }
      for (const code of alphabet) {
        const next = tracks.map((states) => stepAll(states, code));
        const key = next.map(keyOf).join(";");
        if (seen.has(key)) continue;
        if (seen.size >= maxStates) return undefined;
        seen.add(key);
        queue.push({ tracks: next, name: name + String.fromCharCode(code) });
      }
    }
  }
  return found.map((cells) => [...cells.values()]);
}

/** A name of the same cell that begins and ends with a letter or a figure, where adding one is enough. */
function readable(name: string, matched: readonly boolean[], globs: readonly Glob[]): string {
  const isSame = (other: string) => globs.every((glob, index) => glob.test(other) === matched[index]);
  const better = [name, `${name}x`, `x${name}`, `x${name}x`].find(
    (other) => /^[a-z0-9](?:.*[a-z0-9])?$/i.test(other) && isSame(other),
  );
  return better ?? name;
}

function automataOf(globs: readonly Glob[]): readonly Automaton[] {
  let made = 0;
  return globs.map(({ tokens }, index) => new Automaton(tokens, index, () => made++));
}

/** The states behind one more character; a glob that can no longer match has none. */
function stepAll(states: readonly State[], code: number): readonly State[] {
  const next: State[] = [];
  for (const state of states) {
    const after = state.automaton.step(state, code);
    if (isAlive(after)) next.push(after);
  }
  return next;
}

function isAlive({ positions }: State): boolean {
  return positions.length > 0;
}

function keyOf(states: readonly State[]): string {
  let key = "";
  for (const { id } of states) key += `${id},`;
  return key;
}

/** The places of a pattern where a name can be that is read so far. */
interface State {
  readonly automaton: Automaton;
  /** No other state of any automaton has it. */
  readonly id: number;
  readonly positions: readonly number[];
  /** Whether the pattern matches the name so far. */
  readonly isEnd: boolean;
  readonly next: Map<number, State>;
  /** By text, whether it matches with that text behind the name. */
  readonly behind: Map<string, boolean>;
}

/** One glob as a deterministic automaton, whose states are made when a name first leads there. */
class Automaton {
  readonly start: State;
  /** The place of its glob. */
  readonly index: number;
  readonly #nextId: () => number;
  readonly #tokens: readonly GlobToken[];
  readonly #states = new Map<string, State>();

  constructor(tokens: readonly GlobToken[], index: number, nextId: () => number) {
    this.#tokens = tokens;
    this.index = index;
    this.#nextId = nextId;
    this.start = this.#stateAt([0]);
  }

  step(state: State, code: number): State {
    if (state.positions.length === 0) return state;
    const known = state.next.get(code);
    if (known !== undefined) return known;
    const positions: number[] = [];
    for (const position of state.positions) {
      const token = this.#tokens[position];
      if (isRun(token)) {
        if (token === "run" || isOfPart(code)) positions.push(position);
      } else if (token !== undefined && accepts(token, code)) positions.push(position + 1);
    }
    const next = this.#stateAt(positions);
    state.next.set(code, next);
    return next;
  }

  walk(from: State, text: string): State {
    let state = from;
    for (let at = 0; at < text.length && state.positions.length > 0; at++)
      state = this.step(state, text.charCodeAt(at));
    return state;
  }

  endsBehind(state: State, text: string): boolean {
    const known = state.behind.get(text);
    if (known !== undefined) return known;
    const { isEnd } = this.walk(state, text);
    state.behind.set(text, isEnd);
    return isEnd;
  }

  /** The state of these positions and those that are reached without a character: a run may be empty. */
  #stateAt(from: readonly number[]): State {
    const all = new Set<number>();
    for (let position of from) {
      all.add(position);
      while (isRun(this.#tokens[position])) all.add(++position);
    }
    const positions = [...all].sort((a, b) => a - b);
    const key = positions.join();
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const isEnd = positions.at(-1) === this.#tokens.length;
    const state: State = {
      automaton: this,
      id: this.#nextId(),
      positions,
      isEnd,
      next: new Map(),
      behind: new Map(),
    };
    this.#states.set(key, state);
    return state;
  }
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
  for (const { tokens } of globs)
    for (const token of tokens) {
      if (typeof token === "string") continue;
      if ("code" in token) cuts.add(token.code).add(token.code + 1);
      else for (const [low, high] of token.ranges) cuts.add(low).add(high + 1);
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
