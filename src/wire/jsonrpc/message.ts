// One JSON-RPC 2.0 message as MCP sends them, from octets to a value. Strict, because two programs
// read it one after the other: what another parser could read differently (a member twice, or twice
// but for its case, a batch, octets that are not UTF-8) is no message. Knows no method.

import { inQuotes } from "../../text/in-quotes.ts";
import { type JsonBounds, parseStrictJson } from "./strict-json.ts";

/** Names the request that an answer is for. */
export type MessageId = string | number;

/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

interface Common {
  /** The text of the message, as sent. */
  readonly text: string;
}

/** A question that waits for an answer. */
export interface RequestMessage extends Common {
  readonly kind: "request";
  readonly id: MessageId;
  readonly method: string;
  readonly params: JsonObject;
}

/** A statement that nobody answers. */
export interface NotificationMessage extends Common {
  readonly kind: "notification";
  readonly method: string;
  readonly params: JsonObject;
}

/** The answer to a request; `id` is undefined where the request's could not be read. */
export interface ResponseMessage extends Common {
  readonly kind: "response";
  readonly id: MessageId | undefined;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** A message of either side. */
export type Message = RequestMessage | NotificationMessage | ResponseMessage;

/** The message; or why there is none, with its id where there is one, so that it can be refused. */
export type ReadMessage =
  | Message
  | { readonly kind: "bad"; readonly problem: string; readonly id?: MessageId };

/**
 * The bounds of a message from a client. They are tighter than a server's, because its arguments are shown to
 * people.
 */
export const CLIENT_BOUNDS: JsonBounds = { depth: 200, values: 200_000 };
/** Results are only passed on. */
export const SERVER_BOUNDS: JsonBounds = { depth: 500, values: 4_000_000 };

const ID_MAX = 512;
const METHOD_MAX = 256;
const ENVELOPE = ["jsonrpc", "id", "method", "params", "result", "error"];
/** The members of `params` that decide about the effect. */
const PARAMS = [
  "name",
  "arguments",
  "uri",
  "_meta",
  "task",
  "ref",
  "argument",
  "requestId",
  "progressToken",
  "protocolVersion",
  "inputResponses",
  "requestState",
];

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads one message: a line without its newline, a body, the data of an event. Never throws. */
export function parseMessage(bytes: Uint8Array, bounds: JsonBounds = CLIENT_BOUNDS): ReadMessage {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { kind: "bad", problem: "it is not UTF-8" };
  }
  return parseMessageText(text, bounds);
}

/** Reads a line of stdio: Python's readers end one at a lone carriage return, others do not, so it may hold none. */
export function parseLine(bytes: Uint8Array, bounds: JsonBounds = CLIENT_BOUNDS): ReadMessage {
  return bytes.includes(0x0d) ? bad("a carriage return stands in it") : parseMessage(bytes, bounds);
}

/** The same for text. */
export function parseMessageText(text: string, bounds: JsonBounds = CLIENT_BOUNDS): ReadMessage {
  if (text.startsWith("\ufeff")) return bad("it begins with a byte order mark");
  const parsed = parseStrictJson(text, bounds);
  if ("problem" in parsed)
    return bad(parsed.problem === "the body is not JSON" ? "it is not JSON" : parsed.problem);
  const { value } = parsed;
  if (Array.isArray(value)) return bad("it is a batch; send each message by itself");
  if (!isObject(value)) return bad("it is not an object");
  return readEnvelope(value, text);
}

function readEnvelope(value: JsonObject, text: string): ReadMessage {
  const { jsonrpc, id, method, params = {}, result, error } = value;
  const shownId = isId(id) ? { id } : {};
  const twice = lookalike(value, ENVELOPE) ?? (isObject(params) ? lookalike(params, PARAMS) : undefined);
  if (twice !== undefined)
    return { ...bad(`${inQuotes(twice)} is a known member in another case`), ...shownId };
  if (jsonrpc !== "2.0") return { ...bad("'jsonrpc' must be '2.0'"), ...shownId };
  if (method === undefined) {
    const hasResult = Object.hasOwn(value, "result");
    if (hasResult === Object.hasOwn(value, "error"))
      return { ...bad("it is neither request nor answer"), ...shownId };
    if (id !== null && id !== undefined && !isId(id))
      return bad("its id is neither a string nor a whole number");
    if (hasResult && !isId(id)) return bad("a result needs an id");
    return { kind: "response", text, id: isId(id) ? id : undefined, ...(hasResult ? { result } : { error }) };
  }
  if (typeof method !== "string" || method === "" || method.length > METHOD_MAX)
    return { ...bad("its method is not a name"), ...shownId };
  if (Object.hasOwn(value, "result") || Object.hasOwn(value, "error"))
    return { ...bad("it is request and answer at once"), ...shownId };
  if (!isObject(params)) return { ...bad("its params are no object"), ...shownId };
  if (!Object.hasOwn(value, "id")) return { kind: "notification", text, method, params };
  if (!isId(id)) return bad("its id is neither a string nor a whole number");
  return { kind: "request", text, id, method, params };
}

/** Whether a value can be the id of a request. */
export function isId(value: unknown): value is MessageId {
  return typeof value === "string" ? value.length <= ID_MAX : Number.isSafeInteger(value);
}

/** Whether a value of JSON is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member whose name is one of these for a reader that does not mind the case (Go's does not), and is not it. */
export function lookalike(value: JsonObject, names: readonly string[]): string | undefined {
  return Object.keys(value).find((name) => !names.includes(name) && names.includes(folded(name, names)));
}

function folded(name: string, names: readonly string[]): string {
  const plain = foldCase(name);
  return names.find((each) => foldCase(each) === plain) ?? "";
}

/** Simple case folding: ſ is an s and K a k. */
function foldCase(name: string): string {
  return name.toUpperCase().toLowerCase();
}

function bad(problem: string): { readonly kind: "bad"; readonly problem: string } {
  return { kind: "bad", problem };
}
