// The Action of AWS's query protocol, from the query of a GET or the form body of a POST. There
// must be exactly one: a second one, in whatever spelling and place, makes it unknown, because
// servers differ in which they take.

import { type Header, headerValues, type RequestBody } from "../../model/request.ts";
import { decodeLoosely } from "../lenient-path.ts";

/** The action, or why there is none to rely on. */
export type ActionReading =
  | { readonly kind: "action"; readonly name: string }
  | {
      readonly kind: "unknown";
      readonly reason: string /** Actions that were seen nevertheless. */;
      readonly names: readonly string[];
    };

/** The parts of a request that can hold an Action. */
export interface ActionSource {
  readonly method: string;
  readonly query: string | undefined;
  readonly headers: readonly Header[];
  readonly body: RequestBody;
}

/** Reads the one Action of a request. */
export function readAction(source: ActionSource): ActionReading {
  const { method, body } = source;
  const found: string[] = [];
  const unknown = (reason: string): ActionReading => ({ kind: "unknown", reason, names: seen(source) });
  if (method !== "GET" && method !== "POST") return unknown("the query protocol knows GET and POST only");
  if (!collect(source.query ?? "", found)) return unknown("the query cannot be read");
  if (body.kind === "unread") return unknown(`the operation is in the body, which was not read: ${body.why}`);
  if (body.kind === "whole" && body.bytes.length > 0) {
    if (method === "GET") return unknown("a GET with a body");
    if (!isForm(source.headers)) return unknown("the body is not a form");
    if (!collect(decodeAscii(body.bytes), found)) return unknown("the form cannot be read");
  }
  const [name, second] = found;
  if (second !== undefined) return unknown("more than one Action");
  if (name === undefined) return unknown("no Action");
  return { kind: "action", name };
}

/** Beyond these only the last is of interest. */
const MOST_ACTIONS = 16;

/** Every action that some server might see in a query or body, however malformed. */
export function actionsIn(text: string): readonly string[] {
  if (!/action|%/i.test(text)) return [];
  const names = new Set<string>();
  let last = "";
  for (const match of decodeLoosely(text).matchAll(/(?:^|[&;\s])action[^=&;]{0,8}=([A-Za-z0-9]{1,128})/gi)) {
    last = match[1] ?? "";
    if (names.size < MOST_ACTIONS) names.add(last);
  }
  // Servers take the first or the last.
  return [...(last === "" ? names : names.add(last))];
}

function seen({ query, body }: ActionSource): readonly string[] {
  const inBody = body.kind === "whole" ? actionsIn(decodeAscii(body.bytes)) : [];
  return [...actionsIn(query ?? ""), ...inBody];
}

function isForm(headers: readonly Header[]): boolean {
  const types = headerValues(headers, "content-type");
  return types.length === 1 && /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(types[0]?.trim() ?? "");
}

/** Names and values of interest are ASCII; any other byte becomes a character that matches nothing. */
function decodeAscii(bytes: Uint8Array): string {
  return DECODER.decode(bytes);
}

const DECODER = new TextDecoder("latin1");

/** More fields than any client sends; beyond them nothing is read. */
const MOST_FIELDS = 50_000;

/** Adds the values of every `Action`; false when a name or such a value is malformed. Other values are not looked at. */
function collect(text: string, found: string[]): boolean {
  let equals = -1;
  let count = 0;
  for (let at = 0; at < text.length; ) {
    if (++count > MOST_FIELDS) return false;
    let end = text.indexOf("&", at);
    if (end < 0) end = text.length;
    // Looked for once, not once a field: in a form without any it is far away.
    if (equals < at) equals = indexOrEnd(text, "=", at);
    if (!collectPair(text, at, Math.min(equals, end), end, found)) return false;
    at = end + 1;
  }
  return true;
}

function indexOrEnd(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from);
  return at < 0 ? text.length : at;
}

function collectPair(text: string, at: number, equals: number, end: number, found: string[]): boolean {
  const raw = text.slice(at, equals);
  // A ";" parts pairs at some servers: "X=1;Action=…" must not hide a second Action.
  const hidden = text.slice(equals, end);
  if (hidden.includes(";") && /;\s*action\s*=/i.test(hidden)) return false;
  if (raw.length !== 6 && !/[%+\s;[\]\0]/.test(raw)) return true;
  const name = decode(raw);
  if (name === undefined) return false;
  if (!/^[\s\0]*action[\s\0]*(?:$|;|\[|\0)/i.test(name)) return !/;\s*action\s*$/i.test(name);
  const value = equals === end ? "" : decode(text.slice(equals + 1, end));
  if (value === undefined || name !== "Action" || found.length > MOST_ACTIONS) return false;
  found.push(value);
  return true;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
