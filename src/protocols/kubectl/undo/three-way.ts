// Takes one change back out of an object that others have changed since: fields that the change set
// are put back, where the live object still has the change's value. Where it has something else,
// that is a conflict.

import { comparableJson, isFields, type ObjectFields } from "../effect/normalise.ts";

/** The object with the change taken back, and the paths where somebody else has been. */
export interface TakenBack {
  readonly object: ObjectFields;
  readonly conflicts: readonly string[];
}

const DEPTH_MAX = 64;

/** `before` and `after` the change, and the object as it is. Conflicts are put back to `before` too. */
export function takeBack(before: ObjectFields, after: ObjectFields, live: ObjectFields): TakenBack {
  const conflicts: string[] = [];
  const object = member(before, after, live, "", conflicts, 0);
  return { object: isFields(object) ? object : before, conflicts };
}

function member(
  before: unknown,
  after: unknown,
  live: unknown,
  path: string,
  conflicts: string[],
  depth: number,
): unknown {
  if (isSame(before, after)) return live;
  if (isFields(before) && isFields(after) && isFields(live) && depth < DEPTH_MAX) {
    const names = new Set([...Object.keys(before), ...Object.keys(after), ...Object.keys(live)]);
    const entries = [...names].map((name) => {
      const inner = path === "" ? name : `${path}.${name}`;
      return [name, member(before[name], after[name], live[name], inner, conflicts, depth + 1)] as const;
    });
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }
  if (!isSame(live, after) && !isSame(live, before)) conflicts.push(path === "" ? "." : path);
  return before;
}

function isSame(one: unknown, other: unknown): boolean {
  return comparableJson([one]) === comparableJson([other]);
}
