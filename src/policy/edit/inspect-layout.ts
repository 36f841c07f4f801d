// Finds where an `inspect:` list stands in a policy's text, and splices single entries in and out
// of it, so that an edit by command touches nothing else: no comment, no blank line, no quoting.
// Says undefined for layouts it does not understand; the caller checks the result by parsing it
// again.

import { type CST, isMap, isScalar, isSeq, type Pair, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import type { Protocol } from "../../model/protocol.ts";
import { YAML_OPTIONS } from "../parse/read-yaml.ts";

/** The text with an entry added as the last of the protocol's list; the block must exist, its list need not. */
export function insertEntry(text: string, protocol: Protocol, entry: string): string | undefined {
  const block = findBlock(text, protocol);
  if (block === undefined) return undefined;
  const pair = block.map.items.find((one) => keyText(one) === "inspect");
  const quoted = JSON.stringify(entry);
  if (pair === undefined) return insertList(text, block, quoted);
  if (!isSeq(pair.value)) return undefined;
  return pair.value.flow ? insertInFlow(text, pair.value, quoted) : insertLine(text, pair.value, quoted);
}

/** The text without the list's item of this index, which must exist. */
export function removeEntry(text: string, protocol: Protocol, index: number): string | undefined {
  const pair = findList(text, protocol);
  if (pair?.value?.flow) return removeFromFlow(text, pair.value, index);
  return pair === undefined ? undefined : removeLine(text, pair, index);
}

/** Like `removeEntry`, but an item on a line of its own stays as a comment. Another one must be left in the list. */
export function disableEntry(text: string, protocol: Protocol, index: number): string | undefined {
  const list = findList(text, protocol)?.value;
  if (!list || list.flow) return removeEntry(text, protocol, index);
  const span = itemSpan(text, list, index);
  if (span === undefined) return undefined;
  const dash = span.lineStart + span.indent.length;
  return spliceText(text, dash, dash, "# ");
}

/** How lines end in this text. */
export function lineEnd(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

interface Block {
  readonly keyEnd: number;
  readonly map: YAMLMap;
}

function findBlock(text: string, protocol: Protocol): Block | undefined {
  const document = parseDocument(text, { ...YAML_OPTIONS, keepSourceTokens: true });
  if (!isMap(document.contents)) return undefined;
  const pair = document.contents.items.find((one) => keyText(one) === protocol);
  const keyEnd = pair && isScalar(pair.key) ? pair.key.range?.[1] : undefined;
  if (keyEnd === undefined || !isMap(pair?.value)) return undefined;
  return { keyEnd, map: pair.value };
}

function findList(text: string, protocol: Protocol): Pair<unknown, YAMLSeq> | undefined {
  const pair = findBlock(text, protocol)?.map.items.find((one) => keyText(one) === "inspect");
  return isSeq(pair?.value) ? (pair as Pair<unknown, YAMLSeq>) : undefined;
}

/** The key of a pair as a text. */
export function keyText(pair: Pair): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined;
}

function insertList(text: string, { keyEnd, map }: Block, quoted: string): string | undefined {
  const start = map.range?.[0];
  if (start === undefined) return undefined;
  if (map.flow) return spliceText(text, start + 1, start + 1, `inspect: [${quoted}], `);
  const indent = indentBefore(text, start);
  if (indent === undefined) return undefined;
  const eol = lineEnd(text);
  const at = endOfLine(text, keyEnd);
  return spliceText(text, at, at, `${eol}${indent}inspect:${eol}${indent}${indent}- ${quoted}`);
}

function insertLine(text: string, list: YAMLSeq, quoted: string): string | undefined {
  const last = itemSpan(text, list, list.items.length - 1);
  if (last === undefined) return undefined;
  const at = endOfLine(text, last.end);
  return spliceText(text, at, at, `${lineEnd(text)}${last.indent}- ${quoted}`);
}

function insertInFlow(text: string, list: YAMLSeq, quoted: string): string | undefined {
  const last = rangeOf(list.items.at(-1));
  if (last !== undefined) return spliceText(text, last.end, last.end, `, ${quoted}`);
  const start = list.range?.[0];
  return start === undefined ? undefined : spliceText(text, start + 1, start + 1, quoted);
}

function removeLine(text: string, pair: Pair<unknown, YAMLSeq>, index: number): string | undefined {
  const list = pair.value;
  const span = list === null ? undefined : itemSpan(text, list, index);
  if (list === null || span === undefined) return undefined;
  const after = endOfLine(text, span.end);
  const next = text.startsWith("\r\n", after) ? after + 2 : Math.min(after + 1, text.length);
  const rest = spliceText(text, span.lineStart, next, "");
  if (list.items.length > 1) return rest;
  // The last one goes: `inspect:` alone would be an error.
  const keyEnd = isScalar(pair.key) ? pair.key.range?.[1] : undefined;
  const colon = keyEnd === undefined ? -1 : text.indexOf(":", keyEnd);
  return colon < 0 ? undefined : spliceText(rest, colon + 1, colon + 1, " []");
}

function removeFromFlow(text: string, list: YAMLSeq, index: number): string | undefined {
  const span = rangeOf(list.items[index]);
  const tokens = (list.srcToken as CST.FlowCollection | undefined)?.items;
  if (span === undefined || tokens === undefined) return undefined;
  // A comma belongs to the token of the item after it; of a last one, to an empty token.
  const [before, after] = [tokens[index], tokens[index + 1]].map(
    (token) => token?.start.find((one) => one.type === "comma")?.offset,
  );
  if (after !== undefined)
    return dropBlankLine(cutWithSpace(cut(text, after, after + 1), span.start, span.end), span.start);
  let start = span.start;
  while (text[start - 1] === " ") start--;
  const without = dropBlankLine(cut(text, start, span.end), start);
  return before === undefined ? without : cut(without, before, before + 1);
}

function cut(text: string, start: number, end: number): string {
  return spliceText(text, start, end, "");
}

function cutWithSpace(text: string, start: number, end: number): string {
  return cut(text, start, text[end] === " " ? end + 1 : end);
}

// A line that becomes empty goes too.
function dropBlankLine(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const end = endOfLine(text, offset);
  if (start === 0 || text.slice(start, end).trim() !== "") return text;
  return cut(text, start, text.startsWith("\r\n", end) ? end + 2 : Math.min(end + 1, text.length));
}

interface ItemSpan {
  readonly lineStart: number;
  readonly end: number;
  readonly indent: string;
}

function itemSpan(text: string, list: YAMLSeq, index: number): ItemSpan | undefined {
  const token = (list.srcToken as CST.BlockSequence | undefined)?.items[index];
  const dash = token?.start.find((one) => one.type === "seq-item-ind")?.offset;
  const end = rangeOf(list.items[index])?.end;
  if (dash === undefined || end === undefined) return undefined;
  const indent = indentBefore(text, dash);
  return indent === undefined ? undefined : { lineStart: dash - indent.length, end, indent };
}

function rangeOf(item: unknown): { readonly start: number; readonly end: number } | undefined {
  const range = isScalar(item) ? item.range : undefined;
  return range ? { start: range[0], end: range[1] } : undefined;
}

/** The spaces before the offset in its line; undefined when something else stands there too. */
export function indentBefore(text: string, offset: number): string | undefined {
  const indent = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  return /^ *$/.test(indent) ? indent : undefined;
}

/** Offset of the end of the line, before its line end. */
export function endOfLine(text: string, offset: number): number {
  const at = text.indexOf("\n", offset);
  if (at < 0) return text.length;
  return text[at - 1] === "\r" ? at - 1 : at;
}

/** The text with `inserted` in place of the text between the offsets. */
export function spliceText(text: string, start: number, end: number, inserted: string): string {
  return text.slice(0, start) + inserted + text.slice(end);
}
