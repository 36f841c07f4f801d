// Writes learnt rules into a policy's text: commands under an `allow`, and entries of a scope list
// that begin as a copy of the rules which decide there now. Touches nothing else: no comment, no
// blank line, no quoting. Says undefined for layouts it does not understand; the caller checks the
// result by parsing it again.

import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { Problems } from "../parse/problems.ts";
import { readDocument, YAML_OPTIONS } from "../parse/read-yaml.ts";
import type { MapTree, Tree } from "../parse/yaml-tree.ts";
import { endOfLine, indentBefore, keyText, lineEnd, spliceText } from "./inspect-layout.ts";

/** A command to write, with the remark behind it. */
export interface CommandLine {
  readonly command: string;
  readonly remark: string;
}

/** Where a map stands: keys, and numbers for items of lists. */
export type MapPath = readonly (string | number)[];

/** The text with commands added to `rules.allow.commands` of the block or entry at `path`. */
export function addAllowed(text: string, path: MapPath, lines: readonly CommandLine[]): string | undefined {
  const holder = mapIn(documentOf(text, new LineCounter()), path);
  if (holder === undefined) return undefined;
  const rules = pairOf(holder, "rules");
  if (rules === undefined) return addToMap(text, holder, (indent) => rulesLines(undefined, indent, lines));
  if (!isMap(rules.value)) return undefined;
  const allow = pairOf(rules.value, "allow");
  if (allow === undefined)
    return addToMap(text, rules.value, (indent) => [
      "allow:",
      ...indented(commandsLines(lines, indent), indent),
    ]);
  if (!isMap(allow.value)) return undefined;
  const commands = pairOf(allow.value, "commands");
  if (commands === undefined) return addToMap(text, allow.value, (indent) => commandsLines(lines, indent));
  return isSeq(commands.value) ? addItems(text, commands.value, lines) : undefined;
}

/**
 * The text with a new entry of a scope list before its entry `index`, or at its end; a list that is not there is made.
 * Its rules are those at `source`, with the commands allowed beside.
 */
export function insertScopeEntry(
  text: string,
  where: { readonly protocol: string; readonly keyword: string; readonly index: number | undefined },
  entry: {
    readonly names: readonly string[];
    readonly source: MapPath;
    readonly lines: readonly CommandLine[];
    readonly remark?: string;
  },
): string | undefined {
  const lines = new LineCounter();
  const document = documentOf(text, lines);
  const block = mapIn(document, [where.protocol]);
  if (block === undefined) return undefined;
  const rules = treeIn(document, lines, [...entry.source, "rules"]);
  const write = (indent: string) => entryLines(entry, rules, indent);
  const list = pairOf(block, where.keyword);
  if (list === undefined) {
    const first = pairOf(block, "rules");
    const make = (indent: string) => [`${where.keyword}:`, ...indented(write(indent), indent)];
    return first === undefined ? addToMap(text, block, make) : addBefore(text, first, make);
  }
  if (!isSeq(list.value) || list.value.flow) return undefined;
  return insertItem(text, list.value, where.index, write);
}

function entryLines(
  {
    names,
    lines,
    remark,
  }: { readonly names: readonly string[]; readonly lines: readonly CommandLine[]; readonly remark?: string },
  rules: Tree | undefined,
  indent: string,
): string[] {
  const head = `- names: [${names.map(scalar).join(", ")}]${remark === undefined ? "" : ` # ${remark}`}`;
  return [head, ...rulesLines(rules, indent, lines).map((line) => `  ${line}`)];
}

/** `rules:` as it stands in the tree, with the commands allowed beside. */
function rulesLines(rules: Tree | undefined, indent: string, lines: readonly CommandLine[]): string[] {
  const entries = rules?.kind === "map" ? rules.entries : new Map<string, { readonly value: Tree }>();
  const branch = (action: string) => {
    const value = entries.get(action)?.value;
    return value?.kind === "map" ? value : undefined;
  };
  const actions = ["allow", "escalate", "deny"].filter(
    (action) => action === "allow" || branch(action) !== undefined,
  );
  return [
    "rules:",
    ...actions.flatMap((action) => [
      ...indented([`${action}:`], indent),
      ...indented(branchLines(branch(action), action === "allow" ? lines : [], indent), indent + indent),
    ]),
  ];
}

function branchLines(branch: MapTree | undefined, lines: readonly CommandLine[], indent: string): string[] {
  const [groups, commands] = ["groups", "commands"].map((key) => textsOf(branch?.entries.get(key)?.value));
  return [
    ...(groups === undefined || groups.length === 0 ? [] : [`groups: [${groups.map(scalar).join(", ")}]`]),
    ...(lines.length > 0
      ? commandsLines([...(commands ?? []).map((command) => ({ command, remark: "" })), ...lines], indent)
      : commands === undefined || commands.length === 0
        ? []
        : [`commands: [${commands.map(scalar).join(", ")}]`]),
  ];
}

function commandsLines(lines: readonly CommandLine[], indent: string): string[] {
  return ["commands:", ...indented(lines.map(itemLine), indent)];
}

function itemLine({ command, remark }: CommandLine): string {
  return `- ${scalar(command)}${remark === "" ? "" : ` # ${remark}`}`;
}

function indented(lines: readonly string[], indent: string): string[] {
  return lines.map((line) => indent + line);
}

function textsOf(tree: Tree | undefined): readonly string[] | undefined {
  return tree?.kind === "list"
    ? tree.items.flatMap((item) => (item.kind === "text" ? [item.text] : []))
    : undefined;
}

/** Plain where every reader of YAML takes it for the same text, else quoted. */
function scalar(text: string): string {
  const isPlain = /^[a-z][a-z0-9._/-]*(?: [a-z0-9._/-]+)*$/i.test(text);
  return isPlain && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text) ? text : JSON.stringify(text);
}

function documentOf(text: string, lineCounter: LineCounter): Document.Parsed {
  return parseDocument(text, { ...YAML_OPTIONS, keepSourceTokens: true, lineCounter });
}

function mapIn(document: Document.Parsed, path: MapPath): YAMLMap | undefined {
  let node: unknown = document.contents;
  for (const step of path) {
    if (typeof step === "number") node = isSeq(node) ? node.items[step] : undefined;
    else node = isMap(node) ? pairOf(node, step)?.value : undefined;
  }
  return isMap(node) ? node : undefined;
}

function treeIn(document: Document.Parsed, lines: LineCounter, path: MapPath): Tree | undefined {
  let tree: Tree | undefined = readDocument(document, lines, new Problems());
  for (const step of path) {
    if (typeof step === "number") tree = tree?.kind === "list" ? tree.items[step] : undefined;
    else tree = tree?.kind === "map" ? tree.entries.get(step)?.value : undefined;
  }
  return tree;
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((one) => keyText(one) === key);
}

/** Lines before a pair of a map in block style, with its indentation. */
function addBefore(
  text: string,
  pair: Pair,
  make: (indent: string) => readonly string[],
): string | undefined {
  const start = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
  const indent = start === undefined ? undefined : indentBefore(text, start);
  if (start === undefined || indent === undefined) return undefined;
  const at = start - indent.length;
  const eol = lineEnd(text);
  return spliceText(
    text,
    at,
    at,
    indented(make("  "), indent)
      .map((line) => line + eol)
      .join("") + eol,
  );
}

/** Lines behind the last pair of a map in block style, with its indentation. */
function addToMap(
  text: string,
  map: YAMLMap,
  make: (indent: string) => readonly string[],
): string | undefined {
  const first = map.items[0]?.key;
  const start = isScalar(first) ? first.range?.[0] : undefined;
  if (start === undefined) return undefined;
  if (map.flow) return addToFlow(text, map, make);
  const indent = indentBefore(text, start) ?? itemIndent(text, start);
  const end = endOfContent(map);
  if (indent === undefined || end === undefined) return undefined;
  const at = endOfLine(text, end);
  const eol = lineEnd(text);
  const unit = indent === "" ? "  " : indent.slice(0, 2);
  return spliceText(
    text,
    at,
    at,
    indented(make(unit), indent)
      .map((line) => eol + line)
      .join(""),
  );
}

/** `{ groups: [read] }` gets `, commands: [a, b]`: remarks have no place there. */
function addToFlow(
  text: string,
  map: YAMLMap,
  make: (indent: string) => readonly string[],
): string | undefined {
  const lines = make("  ");
  if (lines[0] !== "commands:") return undefined;
  const last = map.items.at(-1)?.value as { readonly range?: readonly number[] } | null | undefined;
  const end = last?.range?.[1];
  const items = lines.slice(1).map((line) => line.trim().replace(/^- /, "").replace(/ #.*$/, ""));
  return end === undefined ? undefined : spliceText(text, end, end, `, commands: [${items.join(", ")}]`);
}

/** Spaces up to a key that stands behind the dash of its item. */
function itemIndent(text: string, offset: number): string | undefined {
  const before = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  return /^ *- *$/.test(before) ? " ".repeat(before.length) : undefined;
}

function endOfContent(node: YAMLMap | YAMLSeq): number | undefined {
  const last: unknown = node.items.at(-1);
  const value: unknown = isMap(node) ? (last as Pair | undefined)?.value : last;
  if ((isMap(value) || isSeq(value)) && !value.flow) return endOfContent(value);
  return (value as { readonly range?: readonly number[] } | null | undefined)?.range?.[1];
}

function addItems(text: string, list: YAMLSeq, lines: readonly CommandLine[]): string | undefined {
  const last = list.items.at(-1);
  const range = isScalar(last) ? last.range : undefined;
  if (!range) return undefined;
  if (list.flow)
    return spliceText(text, range[1], range[1], lines.map(({ command }) => `, ${scalar(command)}`).join(""));
  const indent = dashIndent(text, range[0]);
  if (indent === undefined) return undefined;
  const at = endOfLine(text, range[1]);
  const eol = lineEnd(text);
  return spliceText(text, at, at, lines.map((line) => eol + indent + itemLine(line)).join(""));
}

/** Spaces before the dash of the item whose content begins at the offset. */
function dashIndent(text: string, offset: number): string | undefined {
  const before = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  return /^( *)- *$/.exec(before)?.[1];
}

function insertItem(
  text: string,
  list: YAMLSeq,
  index: number | undefined,
  write: (indent: string) => readonly string[],
): string | undefined {
  const neighbour: unknown = list.items[index ?? list.items.length - 1];
  if (!isMap(neighbour) || neighbour.flow) return insertBesideFlow(text, list, index, write);
  const key = neighbour.items[0]?.key;
  const start = isScalar(key) ? key.range?.[0] : undefined;
  const indent = start === undefined ? undefined : dashIndent(text, start);
  if (start === undefined || indent === undefined) return undefined;
  const eol = lineEnd(text);
  const lines = indented(write("  "), indent);
  if (index !== undefined) {
    const at = aboveRemarks(text, start);
    return spliceText(text, at, at, lines.map((line) => line + eol).join(""));
  }
  const end = endOfContent(list);
  if (end === undefined) return undefined;
  const at = endOfLine(text, end);
  return spliceText(text, at, at, lines.map((line) => eol + line).join(""));
}

/** Entries that are written as `- { names: …, rules: … }`, each on a line of its own. */
function insertBesideFlow(
  text: string,
  list: YAMLSeq,
  index: number | undefined,
  write: (indent: string) => readonly string[],
): string | undefined {
  const neighbour = list.items[index ?? list.items.length - 1] as
    | { readonly range?: readonly number[] }
    | undefined;
  const [start, end] = neighbour?.range ?? [];
  const indent = start === undefined ? undefined : dashIndent(text, start);
  if (start === undefined || end === undefined || indent === undefined) return undefined;
  const eol = lineEnd(text);
  const lines = indented(write("  "), indent);
  if (index === undefined) {
    const at = endOfLine(text, end);
    return spliceText(text, at, at, lines.map((line) => eol + line).join(""));
  }
  const at = aboveRemarks(text, start);
  return spliceText(text, at, at, lines.map((line) => line + eol).join(""));
}

/** Start of the line, or of the first of the remarks that stand directly above it: they are about the next lines. */
function aboveRemarks(text: string, offset: number): number {
  let at = text.lastIndexOf("\n", offset - 1) + 1;
  for (;;) {
    const before = text.lastIndexOf("\n", at - 2) + 1;
    if (at === 0 || !/^[ \t]*#/.test(text.slice(before, at))) return at;
    at = before;
  }
}
