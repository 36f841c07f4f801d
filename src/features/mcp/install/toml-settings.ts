// The servers in Codex's config.toml: `[mcp_servers.<name>]` with `command` and `args`. Edits
// replace the text of those two values; every other line, comments included, stays. Entries in
// another notation are reported and left alone.

import { UserError } from "../../../model/user-error.ts";
import type { FoundServer } from "./json-settings.ts";
import type { ServerEntry } from "./wrapped.ts";

interface Value {
  readonly start: number;
  readonly end: number;
}

interface Table {
  readonly key: string;
  /** Behind the header's line. */
  readonly bodyStart: number;
  readonly command: Value | undefined;
  readonly args: Value | undefined;
}

/** The servers of the file. Throws a UserError when the text is not TOML. */
export function serversInToml(file: string, text: string): readonly FoundServer[] {
  parsed(file, text);
  return tablesOf(text).map(({ key, command, args }) => {
    const name = command === undefined ? undefined : parsedValue(text, command);
    const words = args === undefined ? [] : parsedValue(text, args);
    const isPlain =
      typeof name === "string" && Array.isArray(words) && words.every((word) => typeof word === "string");
    return { key, path: [key], entry: isPlain ? { command: name, args: words as string[] } : undefined };
  });
}

/** Whether a server has a list of arguments, be it an empty one. */
export function hasTomlArgs(text: string, key: string): boolean {
  return tablesOf(text).find((each) => each.key === key)?.args !== undefined;
}

/** The text with another command line for one server. */
export function withTomlEntry(
  text: string,
  key: string,
  { command, args }: ServerEntry,
  hadArgs: boolean,
): string {
  const table = tablesOf(text).find((each) => each.key === key);
  if (table?.command === undefined) throw new Error("the server is not in the file");
  const list = `[${args.map(quoted).join(", ")}]`;
  const edits = [{ ...table.command, text: quoted(command) }];
  if (table.args === undefined) {
    if (args.length > 0)
      edits.push({ start: table.command.end, end: table.command.end, text: `\nargs = ${list}` });
  } else if (args.length > 0 || hadArgs) edits.push({ ...table.args, text: list });
  else edits.push({ start: text.lastIndexOf("\n", table.args.start), end: table.args.end, text: "" });
  return edits
    .sort((a, b) => b.start - a.start)
    .reduce((sofar, edit) => sofar.slice(0, edit.start) + edit.text + sofar.slice(edit.end), text);
}

function tablesOf(text: string): readonly Table[] {
  const tables: Table[] = [];
  let key: string | undefined;
  let found: { command?: Value; args?: Value } = {};
  let bodyStart = 0;
  const finish = () => {
    if (key !== undefined) tables.push({ key, bodyStart, command: found.command, args: found.args });
    key = undefined;
    found = {};
  };
  for (let at = 0; at < text.length; ) {
    const end = lineEnd(text, at);
    const line = text.slice(at, end);
    const header =
      /^\s*\[\s*mcp_servers\s*\.\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*\]\s*(?:#.*)?$/.exec(
        line,
      );
    if (header !== null) {
      finish();
      key = header[1] ?? header[2] ?? header[3];
      bodyStart = end + 1;
    } else if (/^\s*\[/.test(line)) finish();
    const member = /^(\s*(command|args)\s*=\s*)/.exec(line);
    if (member !== null && key !== undefined) {
      const start = at + (member[1]?.length ?? 0);
      const value = { start, end: valueEnd(text, start) };
      found = { ...found, [member[2] ?? ""]: value };
      at = lineEnd(text, value.end) + 1;
    } else at = skipValue(text, at, end);
  }
  finish();
  return tables;
}

/** Behind this line, and behind a value of several lines that begins in it. */
function skipValue(text: string, at: number, end: number): number {
  const equals = /^\s*(?:[\w.-]+|"[^"]*"|'[^']*')\s*=\s*/.exec(text.slice(at, end));
  return (equals === null ? end : Math.max(end, lineEnd(text, valueEnd(text, at + equals[0].length)))) + 1;
}

function valueEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const sign = text[at] ?? "";
    if (sign === '"' || sign === "'") at = stringEnd(text, at) - 1;
    else if (sign === "#") at = lineEnd(text, at) - 1;
    else if (sign === "[" || sign === "{") depth++;
    else if (sign === "]" || sign === "}") depth--;
    else if (sign === "\n" && depth === 0) return trimmedEnd(text, start, at);
    if (depth === 0 && (sign === "]" || sign === "}" || sign === '"' || sign === "'")) return at + 1;
  }
  return trimmedEnd(text, start, text.length);
}

function stringEnd(text: string, start: number): number {
  const sign = text[start] ?? "";
  const triple = sign.repeat(3);
  if (text.startsWith(triple, start)) {
    const end = text.indexOf(triple, start + 3);
    return end < 0 ? text.length : end + 3;
  }
  for (let at = start + 1; at < text.length; at++) {
    if (sign === '"' && text[at] === "\\") at++;
    else if (text[at] === sign || text[at] === "\n") return at + 1;
  }
  return text.length;
}

function trimmedEnd(text: string, start: number, end: number): number {
  return start + text.slice(start, end).trimEnd().length;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

function parsedValue(text: string, { start, end }: Value): unknown {
  return (Bun.TOML.parse(`v = ${text.slice(start, end)}`) as { v?: unknown }).v;
}

function parsed(file: string, text: string): void {
  try {
    Bun.TOML.parse(text);
  } catch (error) {
    throw new UserError(
      `'${file}' is not TOML, so it is left as it is: ${error instanceof Error ? error.message : ""}`,
      {
        hint: "fix the file, then run the command again",
      },
    );
  }
}

/** JSON's escapes are TOML's, but for the slash, which JSON.stringify leaves alone. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}
