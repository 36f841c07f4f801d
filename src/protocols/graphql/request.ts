// Finds the documents that a GraphQL request asks its server to run. Owns the ways in which a
// request can carry documents (JSON, forms, queries, batches) and refuses those that two servers
// would read differently; document.ts reads the documents. Knows no API: each protocol's classifier
// says which fields are harmless.

import { type HttpRequest, headerValues, type RequestHead } from "../../model/request.ts";
import { parseStrictJson } from "../../wire/jsonrpc/strict-json.ts";
import { parseQuery, splitTarget } from "../../wire/path.ts";
import { type GraphqlOperation, readGraphqlDocument } from "./document.ts";

/**
 * `ok`: one operation a document, in the order of the batch. `none`: the request carries no document at all.
 * `unknown`: the operations that run are not known; `possible` are the operations that were seen, of which a
 * careful caller lets none be treated better than on its own.
 */
export type GraphqlReading =
  | { readonly kind: "ok"; readonly operations: readonly [GraphqlOperation, ...GraphqlOperation[]] }
  | { readonly kind: "none" }
  | { readonly kind: "unknown"; readonly reason: string; readonly possible: readonly GraphqlOperation[] };

/** One document with its parameters, before anything of it is believed. */
interface Call {
  readonly query: string;
  readonly operationName: unknown;
  readonly variables: unknown;
  readonly problem: string | undefined;
}

/** Documents of one batch; servers that take batches at all stop long before. */
const MAX_BATCH = 64;

/** Tokens of all documents of a request together; the largest that real clients send have some two thousand. */
const MAX_TOKENS = 12_000;

const MEMBERS: ReadonlySet<string> = new Set(["query", "operationname", "variables", "extensions"]);

/** Members by which servers let clients name a document instead of sending it. */
const STORED: ReadonlySet<string> = new Set([
  "id",
  "documentid",
  "doc_id",
  "docid",
  "queryid",
  "query_id",
  "hash",
  "sha256hash",
  "persistedquery",
  "operationid",
]);

/** Whether the answer depends on the body: it may, whatever the method, since some servers read bodies of GETs. */
export function graphqlNeedsBody(_head: RequestHead): boolean {
  return true;
}

/** Reads a request to a GraphQL endpoint. Never throws; an uncertain request is unknown. */
export function readGraphql(request: HttpRequest): GraphqlReading {
  const inUrl = callsOfUrl(request);
  const inBody = callsOfBody(request);
  if (typeof inBody === "string") return unknown(inBody, possibleOf(inUrl));
  const calls = [...inUrl, ...inBody];
  if (calls.length === 0) return { kind: "none" };
  // Rails lets the query win, express the body of some methods: anyone who sends both means to be misread.
  if (inUrl.length > 0 && inBody.length > 0)
    return unknown("documents both in the query and in the body", possibleOf(calls));
  if (calls.length > MAX_BATCH)
    return unknown(`a batch of more than ${MAX_BATCH} documents`, possibleOf(calls.slice(0, MAX_BATCH)));
  const budget = Math.floor(MAX_TOKENS / calls.length);
  const operations: GraphqlOperation[] = [];
  let problem: string | undefined;
  const possible: GraphqlOperation[] = [];
  for (const call of calls) {
    const document = readGraphqlDocument(call.query, call.operationName, call.variables, budget);
    possible.push(...document.operations);
    problem ??= call.problem ?? document.problem;
    if (document.selected !== undefined) operations.push(document.selected);
  }
  if (problem !== undefined) return unknown(problem, possible);
  const [first, ...others] = operations;
  return first === undefined
    ? unknown("the document has no operation", possible)
    : { kind: "ok", operations: [first, ...others] };
}

function unknown(reason: string, possible: readonly GraphqlOperation[]): GraphqlReading {
  return { kind: "unknown", reason, possible };
}

function possibleOf(calls: readonly Call[]): readonly GraphqlOperation[] {
  const budget = Math.floor(MAX_TOKENS / Math.max(1, calls.length));
  return calls.flatMap(
    (call) => readGraphqlDocument(call.query, call.operationName, call.variables, budget).operations,
  );
}

function callsOfUrl(request: RequestHead): readonly Call[] {
  const { query } = splitTarget(request.target);
  if (query === undefined || query === "") return [];
  const pairs = parseQuery(query);
  // Servers disagree about malformed queries.
  if (pairs === undefined) return [badCall("the query is malformed")];
  return callsOfPairs(pairs);
}

function callsOfPairs(pairs: readonly (readonly [string, string])[]): readonly Call[] {
  const members = new Map<string, unknown>();
  let problem: string | undefined;
  for (const [name, value] of pairs) {
    // `query[]=` and `query[a]=` are nested values to Rails and to qs.
    const bare = name.replace(/\[.*$/s, "");
    if (!isMember(bare)) continue;
    if (bare !== name || members.has(name)) problem = `several readings of '${bare}' in the query`;
    members.set(bare, value);
  }
  if (members.size === 0) return [];
  const call = callOfMembers(members, [...members.keys()]);
  return [problem === undefined ? call : { ...call, problem }];
}

function isMember(name: string): boolean {
  const folded = name.toLowerCase();
  return MEMBERS.has(folded) || STORED.has(folded);
}

/** The body's documents, or why they are not known. */
function callsOfBody(request: HttpRequest): readonly Call[] | string {
  const { body } = request;
  if (body.kind === "none") return [];
  if (body.kind === "unread") return `the body decides, and ${body.why}`;
  if (body.bytes.length === 0) return [];
  const types = headerValues(request.headers, "content-type");
  if (types.length > 1) return "several content types";
  const type = (types[0] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (/charset\s*=/i.test(types[0] ?? "") && !/charset\s*=\s*"?utf-?8"?\s*(?:;|$)/i.test(types[0] ?? ""))
    return "a charset other than UTF-8";
  const text = decodeUtf8(body.bytes);
  if (text === undefined) return "the body is not UTF-8";
  if (type.startsWith("multipart/")) return "documents in a multipart body are not read";
  const isForm = type === "application/x-www-form-urlencoded";
  const json = /^\s*[[{"]/.test(text) ? parseStrictJson(text) : undefined;
  if (json !== undefined && "value" in json) {
    // curl sends JSON as a form, and servers look at the text: but one text can be both.
    if (isForm && formMembers(text).length > 0) return "the body reads both as JSON and as a form";
    if (type === "application/graphql") return "the body reads both as JSON and as a document";
    return callsOfJson(json.value);
  }
  if (isForm) return formMembers(text);
  if (type === "application/graphql") return [{ ...EMPTY, query: text }];
  return json === undefined ? "the body is not JSON" : json.problem;
}

function formMembers(text: string): readonly Call[] {
  const pairs = parseQuery(text);
  return pairs === undefined ? [badCall("the form is malformed")] : callsOfPairs(pairs);
}

function callsOfJson(value: unknown): readonly Call[] | string {
  if (!Array.isArray(value)) return isObject(value) ? [callOfObject(value)] : "the body is not an object";
  if (value.length === 0) return "an empty batch";
  const calls: Call[] = [];
  for (const item of value as readonly unknown[]) {
    if (!isObject(item)) return "a batch whose items are not objects";
    calls.push(callOfObject(item));
  }
  return calls;
}

function callOfObject(value: Readonly<Record<string, unknown>>): Call {
  return callOfMembers(new Map(Object.entries(value)), Object.keys(value));
}

const EMPTY: Call = { query: "", operationName: undefined, variables: undefined, problem: undefined };

function badCall(problem: string): Call {
  return { ...EMPTY, problem };
}

function callOfMembers(members: ReadonlyMap<string, unknown>, names: readonly string[]): Call {
  const query = members.get("query");
  const call: Call = {
    query: typeof query === "string" ? query : "",
    operationName: members.get("operationName") ?? undefined,
    variables: members.get("variables") ?? undefined,
    problem: undefined,
  };
  const problem = problemOf(members, names, query);
  return problem === undefined ? call : { ...call, problem };
}

function problemOf(
  members: ReadonlyMap<string, unknown>,
  names: readonly string[],
  query: unknown,
): string | undefined {
  for (const name of names) {
    const folded = name.toLowerCase();
    if (STORED.has(folded)) return `a stored document named by '${name}'`;
    // Go's decoder takes members in any case, and the last one wins.
    if (MEMBERS.has(folded) && name !== folded && name !== "operationName")
      return `'${name}' is '${folded}' to some servers`;
  }
  const extensions = members.get("extensions");
  if (isObject(extensions) && Object.keys(extensions).some((name) => STORED.has(name.toLowerCase())))
    return "a persisted query";
  if (typeof extensions === "string" && /persisted|sha256/i.test(extensions)) return "a persisted query";
  if (typeof query !== "string" || query === "") return "no document";
  const operationName = members.get("operationName") ?? undefined;
  if (operationName !== undefined && typeof operationName !== "string")
    return "an operationName that is not a text";
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}
