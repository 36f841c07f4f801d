// The policy as the form shows it, read from the text, and changes of it made in the text: comments
// and layout of everything else stay. The form neither shows nor touches keys that it does not
// know.

import { type Document, isMap, isScalar, isSeq, parseDocument, YAMLSeq } from "yaml";

/** A group's action in one place. */
export type Cell = "allow" | "escalate" | "deny" | "";

/** Rules of one place: everywhere, or an entry of a scope list. */
export interface Place {
  /** Path of `rules` in the document. */
  readonly path: readonly (string | number)[];
  readonly label: string;
}

/** A rule that names a command by itself. */
export interface CommandRule {
  readonly place: Place;
  readonly action: Cell;
  readonly command: string;
}

/** One protocol's block. */
export interface Block {
  readonly protocol: string;
  readonly fallback: string;
  readonly inspect: readonly string[];
  readonly groups: readonly { readonly name: string; readonly of: string }[];
  readonly places: readonly Place[];
  /** Commands that rules name by themselves. */
  readonly commands: readonly CommandRule[];
  cell(place: Place, group: string): Cell;
}

/** The actions, strictest last. */
export const CELL_ACTIONS = ["allow", "escalate", "deny"] as const;
const BLOCK_KEYS = new Set(["inspect", "default", "groups", "rules"]);

/** The blocks of a text; undefined while it cannot be read. */
export function outlineOf(text: string): readonly Block[] | undefined {
  const document = parseDocument(text, { version: "1.2" });
  if (document.errors.length > 0) return undefined;
  if (document.contents === null) return [];
  if (!isMap(document.contents)) return undefined;
  return document.contents.items.flatMap(({ key }) => {
    const protocol = isScalar(key) ? String(key.value) : "";
    const node = document.get(protocol);
    return isMap(node) ? [blockOf(document, protocol)] : [];
  });
}

function blockOf(document: Document, protocol: string): Block {
  const groupNode = document.getIn([protocol, "groups"]);
  const groups = isMap(groupNode)
    ? groupNode.items.map(({ key }) => {
        const name = String(isScalar(key) ? key.value : key);
        const [tiers, commands] = ["tiers", "commands"].map((kind) =>
          stringsAt(document, [protocol, "groups", name, kind]),
        );
        return { name, of: [...(tiers ?? []), ...(commands ?? [])].join(", ") };
      })
    : [];
  const places: Place[] = [{ path: [protocol, "rules"], label: "everywhere" }];
  const node = document.get(protocol);
  if (isMap(node))
    for (const { key, value } of node.items) {
      const list = String(isScalar(key) ? key.value : key);
      if (BLOCK_KEYS.has(list) || !isSeq(value)) continue;
      value.items.forEach((_, index) => {
        const names = stringsAt(document, [protocol, list, index, "names"]);
        places.push({ path: [protocol, list, index, "rules"], label: `${list}: ${names.join(", ")}` });
      });
    }
  return {
    protocol,
    fallback: String(document.getIn([protocol, "default"]) ?? "escalate"),
    inspect: stringsAt(document, [protocol, "inspect"]),
    groups,
    places,
    commands: places.flatMap((place) =>
      CELL_ACTIONS.flatMap((action) =>
        stringsAt(document, [...place.path, action, "commands"]).map((command) => ({
          place,
          action,
          command,
        })),
      ),
    ),
    // The strictest that names it, as the policy is judged.
    cell: (place, group) =>
      [...CELL_ACTIONS]
        .reverse()
        .find((action) => stringsAt(document, [...place.path, action, "groups"]).includes(group)) ?? "",
  };
}

function stringsAt(document: Document, path: readonly (string | number)[]): string[] {
  const node = document.getIn(path);
  return isSeq(node) ? node.items.map((item) => String(isScalar(item) ? item.value : item)) : [];
}

/** The text with another action for a group in a place. */
export function withCell(text: string, place: Place, group: string, action: Cell): string {
  return changed(text, (document) => {
    for (const each of CELL_ACTIONS) remove(document, [...place.path, each, "groups"], group);
    if (action !== "") add(document, [...place.path, action, "groups"], group);
  });
}

/** The text with another action where no rule matches. */
export function withFallback(text: string, protocol: string, action: string): string {
  return changed(text, (document) => document.setIn([protocol, "default"], action));
}

/** The text with a host more or less. */
export function withInspect(text: string, protocol: string, entry: string, isThere: boolean): string {
  return changed(text, (document) => {
    if (isThere) add(document, [protocol, "inspect"], entry);
    else remove(document, [protocol, "inspect"], entry);
  });
}

/** The text with a rule for one command everywhere; rules of other actions for it go. */
export function withCommand(text: string, protocol: string, command: string, action: Cell): string {
  return changed(text, (document) => {
    for (const each of CELL_ACTIONS) remove(document, [protocol, "rules", each, "commands"], command);
    if (action !== "") add(document, [protocol, "rules", action, "commands"], command);
  });
}

/** The text without a rule for one command. */
export function withoutCommand(text: string, { place, action, command }: CommandRule): string {
  return changed(text, (document) => remove(document, [...place.path, action, "commands"], command));
}

function changed(text: string, change: (document: Document) => void): string {
  const document = parseDocument(text, { version: "1.2" });
  if (document.errors.length > 0) return text;
  change(document);
  return document.toString({ lineWidth: 0 });
}

function add(document: Document, path: readonly (string | number)[], value: string): void {
  const node = document.getIn(path);
  if (isSeq(node)) {
    if (!node.items.some((item) => isScalar(item) && item.value === value))
      node.add(document.createNode(value));
    return;
  }
  const list = new YAMLSeq();
  list.flow = true;
  list.add(document.createNode(value));
  document.setIn(path, list);
}

/** Takes a value out of a list, and an empty list out of its map. */
function remove(document: Document, path: readonly (string | number)[], value: string): void {
  const node = document.getIn(path);
  if (!isSeq(node)) return;
  const at = node.items.findIndex((item) => isScalar(item) && item.value === value);
  if (at < 0) return;
  node.delete(at);
  if (node.items.length > 0) return;
  document.deleteIn(path);
  const parent = path.slice(0, -1);
  const branch = document.getIn(parent);
  if (isMap(branch) && branch.items.length === 0) document.deleteIn(parent);
}
