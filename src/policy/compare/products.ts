// Writes a set of scope combinations as few products, so that each label's scopes can be listed
// apart. A combination has one cell for each label.

import type { ScopeCell } from "./scope-cells.ts";

/** For each label some of its cells; every combination of them is meant. */
export type CellProduct = readonly (readonly ScopeCell[])[];

/** The combinations, each of one cell a label in the same order, as products. */
export function productsOf(combinations: readonly (readonly ScopeCell[])[]): readonly CellProduct[] {
  const [first] = combinations;
  if (first === undefined) return [];
  if (first.length === 0) return [[]];
  const rests = new Map<string, { readonly cell: ScopeCell; readonly rest: (readonly ScopeCell[])[] }>();
  for (const [cell, ...rest] of combinations) {
    if (cell === undefined) continue;
    const entry = rests.get(cell.text) ?? { cell, rest: [] };
    rests.set(cell.text, entry);
    entry.rest.push(rest);
  }
  const groups = new Map<string, { readonly cells: ScopeCell[]; readonly rest: (readonly ScopeCell[])[] }>();
  for (const { cell, rest } of rests.values()) {
    const key = JSON.stringify(rest.map((one) => one.map(({ text }) => text)).sort());
    const group = groups.get(key) ?? { cells: [], rest };
    groups.set(key, group);
    group.cells.push(cell);
  }
  return [...groups.values()].flatMap(({ cells, rest }) => productsOf(rest).map((tail) => [cells, ...tail]));
}
