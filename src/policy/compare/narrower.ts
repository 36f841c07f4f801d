// Whether one policy text lets through nothing that another did not. Compares the texts block by
// block and proves little on purpose: a change that it cannot prove counts as wider. It knows that
// a higher action for the same selector, a further deny and a stricter default only take away;
// everything else must stay as it was.

import { ACTIONS } from "../../model/action.ts";
import { Problems } from "../parse/problems.ts";
import { readYaml } from "../parse/read-yaml.ts";
import { type MapTree, type Tree, treeText } from "../parse/yaml-tree.ts";

/** Both texts must load. True only when `after` is proven to be at least as strict as `before`. */
export function isNarrowerPolicy(before: string, after: string): boolean {
  if (before === after) return true;
  const [old, fresh] = [readYaml(before, new Problems()), readYaml(after, new Problems())];
  return old !== undefined && fresh !== undefined && isNarrowerTree(old, fresh);
}

/** The same about the trees of two texts that load. */
export function isNarrowerTree(before: Tree, after: Tree): boolean {
  // The order of blocks decides between inspect entries; adding or removing a block changes which hosts are
  // inspected.
  return (
    before.kind === "map" &&
    after.kind === "map" &&
    haveSameKeys(before, after) &&
    keysOf(before).every((key) => isNarrowerBlock(childOf(before, key), childOf(after, key)))
  );
}

function isNarrowerBlock(before: Tree | undefined, after: Tree | undefined): boolean {
  if (before?.kind !== "map" || after?.kind !== "map") return isSame(before, after);
  const keys = new Set([...keysOf(before), ...keysOf(after)]);
  return [...keys].every((key) => {
    const [old, fresh] = [childOf(before, key), childOf(after, key)];
    if (key === "default") return strictness(fresh) >= strictness(old);
    if (key === "rules") return isNarrowerRules(old, fresh);
    if (key === "hide_denied") return true;
    if (key === "trust_annotations") return isSubset(fresh, old);
    if (key === "inspect" || key === "groups") return isSame(old, fresh);
    return isNarrowerScopes(old, fresh);
  });
}

/** Without a default the action is escalate. */
function strictness(tree: Tree | undefined): number {
  return ACTIONS.indexOf(tree?.kind === "text" ? (tree.text as (typeof ACTIONS)[number]) : "escalate");
}

/** Every name was there before: a server whose word counts no longer is believed less. */
function isSubset(names: Tree | undefined, known: Tree | undefined): boolean {
  if (names === undefined) return true;
  if (names.kind !== "list" || known?.kind !== "list") return isSame(names, known);
  const before = new Set(known.items.map(treeText));
  return names.items.every((name) => before.has(treeText(name)));
}

/** The same entries for the same names, in the same order, each at least as strict. */
function isNarrowerScopes(before: Tree | undefined, after: Tree | undefined): boolean {
  if (before?.kind !== "list" || after?.kind !== "list") return isSame(before, after);
  if (before.items.length !== after.items.length) return false;
  return before.items.every((old, index) => {
    const fresh = after.items[index];
    if (old.kind !== "map" || fresh?.kind !== "map") return false;
    return (
      isSame(childOf(old, "names"), childOf(fresh, "names")) &&
      isNarrowerRules(childOf(old, "rules"), childOf(fresh, "rules"))
    );
  });
}

/** Every selector is still there with at least its action, and new ones only deny. */
function isNarrowerRules(before: Tree | undefined, after: Tree | undefined): boolean {
  const [old, fresh] = [selectorsOf(before), selectorsOf(after)];
  if (old === undefined || fresh === undefined) return isSame(before, after);
  const deny = ACTIONS.indexOf("deny");
  return (
    [...old].every(([selector, action]) => (fresh.get(selector) ?? -1) >= action) &&
    [...fresh].every(([selector, action]) => old.has(selector) || action === deny)
  );
}

/** The strictest action of each selector; undefined for a block that is not written as rules. */
function selectorsOf(rules: Tree | undefined): ReadonlyMap<string, number> | undefined {
  const found = new Map<string, number>();
  if (rules === undefined) return found;
  if (rules.kind !== "map") return undefined;
  for (const [action, { value: branch }] of rules.entries) {
    const rank = ACTIONS.indexOf(action as (typeof ACTIONS)[number]);
    if (rank < 0 || branch.kind !== "map") return undefined;
    for (const [key, { value }] of branch.entries) {
      const items = value.kind === "list" ? value.items : [value];
      for (const item of items) {
        const selector = `${key} ${treeText(item)}`;
        found.set(selector, Math.max(rank, found.get(selector) ?? -1));
      }
    }
  }
  return found;
}

function isSame(before: Tree | undefined, after: Tree | undefined): boolean {
  if (before === undefined || after === undefined) return before === after;
  return treeText(before) === treeText(after);
}

function haveSameKeys(before: MapTree, after: MapTree): boolean {
  return JSON.stringify(keysOf(before)) === JSON.stringify(keysOf(after));
}

function keysOf(map: MapTree): string[] {
  return [...map.entries.keys()];
}

function childOf(map: MapTree, key: string): Tree | undefined {
  return map.entries.get(key)?.value;
}
