// The servers in a client's settings of JSON, with comments and trailing commas as clients allow
// them. An edit changes the two members of an entry that name the program, and nothing else of the
// file.

import { applyEdits, findNodeAtLocation, modify, type Node, type ParseError, parseTree } from "jsonc-parser";
import { UserError } from "../../../model/user-error.ts";
import type { ServerEntry } from "./wrapped.ts";

/** One server that was found. */
export interface FoundServer {
  readonly key: string;
  /** Undefined for one that the client reaches by an address. */
  readonly entry: ServerEntry | undefined;
  readonly path: readonly string[];
}

/** The servers below these members; `*` stands for every member. Throws a UserError when the text is not JSON. */
export function serversIn(
  file: string,
  text: string,
  below: readonly (readonly string[])[],
): readonly FoundServer[] {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false });
  if (tree?.type !== "object" || errors.length > 0)
    throw new UserError(`'${file}' is not a JSON object, so it is left as it is`, {
      hint: "fix the file, then run the command again",
    });
  return below.flatMap((path) => objectsAt(tree, path, [])).flatMap(({ node, at }) => membersOf(node, at));
}

function objectsAt(
  node: Node,
  path: readonly string[],
  at: readonly string[],
): { node: Node; at: readonly string[] }[] {
  const [first, ...rest] = path;
  if (first === undefined) return node.type === "object" ? [{ node, at }] : [];
  if (node.type !== "object") return [];
  return (node.children ?? []).flatMap(({ children = [] }) => {
    const [key, value] = children;
    const name = String(key?.value);
    return value === undefined || (first !== "*" && first !== name)
      ? []
      : objectsAt(value, rest, [...at, name]);
  });
}

function membersOf(node: Node, at: readonly string[]): FoundServer[] {
  return (node.children ?? []).flatMap(({ children = [] }) => {
    const [key, value] = children;
    if (value?.type !== "object") return [];
    const command = findNodeAtLocation(value, ["command"]);
    const args = findNodeAtLocation(value, ["args"]);
    const words = (args?.children ?? []).map((each) => String(each.value));
    const entry = command?.type === "string" ? { command: String(command.value), args: words } : undefined;
    return [{ key: String(key?.value), entry, path: [...at, String(key?.value)] }];
  });
}

/** The text with another command line for one server. */
export function withEntry(
  text: string,
  path: readonly string[],
  { command, args }: ServerEntry,
  hadArgs: boolean,
): string {
  const formattingOptions = {
    insertSpaces: !/^\t/m.test(text),
    tabSize: indentOf(text),
    eol: text.includes("\r\n") ? "\r\n" : "\n",
  };
  const set = (sofar: string, name: string, value: unknown) =>
    applyEdits(sofar, modify(sofar, [...path, name], value, { formattingOptions }));
  return set(set(text, "command", command), "args", args.length === 0 && !hadArgs ? undefined : [...args]);
}

function indentOf(text: string): number {
  return /^( +)\S/m.exec(text)?.[1]?.length ?? 2;
}
