// The gRPC calls whose effect is written in the message: SQL, and mutations that delete. Reads
// frames and fields of protobuf only as far as that takes, after the field numbers of googleapis'
// own definitions (stable by protobuf's rules). What streams from the client cannot be read before
// it is let through and counts as the worst it can hold.

import type { HttpRequest } from "../../../model/request.ts";
import { headerValue } from "../../../model/request.ts";
import { type BodyRule, bodyText, type GoogleBodyFinding, mutations, sqlFinding } from "../body.ts";
import type { GrpcCall } from "./grpc.ts";

/** A call whose message tells its effect. */
interface JudgedCall {
  /** How the same request is judged as JSON. */
  readonly json: BodyRule;
  /** Where a message is that deletes: field numbers from the outermost. Undefined: the strings are SQL. */
  readonly deletions?: readonly (readonly number[])[];
}

const SQL: JudgedCall = { json: sqlFinding };
const deleting = (...deletions: readonly (readonly number[])[]): JudgedCall => ({
  json: mutations,
  deletions,
});
/** `deleteFromColumn`, `deleteFromFamily` and `deleteFromRow` below a path. */
const cellsBelow = (...paths: readonly (readonly number[])[]) =>
  deleting(...paths.flatMap((path) => [2, 3, 4].map((field) => [...path, field])));

const CALLS: ReadonlyMap<string, JudgedCall> = new Map([
  ["Firestore.Commit", deleting([2, 2])],
  ["Firestore.BatchWrite", deleting([2, 2])],
  ["Datastore.Commit", deleting([6, 7])],
  ["Spanner.Commit", deleting([4, 5])],
  ["Spanner.BatchWrite", deleting([4, 1, 5])],
  ["Spanner.ExecuteSql", SQL],
  ["Spanner.ExecuteStreamingSql", SQL],
  ["Spanner.ExecuteBatchDml", SQL],
  ["DatabaseAdmin.UpdateDatabaseDdl", SQL],
  ["JobService.InsertJob", SQL],
  ["JobService.Query", SQL],
  ["Bigtable.MutateRow", cellsBelow([3])],
  ["Bigtable.MutateRows", cellsBelow([2, 2])],
  ["Bigtable.CheckAndMutateRow", cellsBelow([4], [5])],
]);

/** They may delete, and stream: nobody can wait for their end. */
const STREAMS: ReadonlySet<string> = new Set(["Firestore.Write", "BigQueryWrite.AppendRows"]);

const judgedCall = ({ service, method }: GrpcCall): JudgedCall | undefined =>
  CALLS.get(`${service}.${method}`);

/** Whether the message decides, too. */
export function grpcNeedsBody(call: GrpcCall): boolean {
  return !call.isSocket && judgedCall(call) !== undefined;
}

/** Judges the message of a call; a doubt where it cannot be read. */
export function grpcFinding(
  call: GrpcCall,
  request: HttpRequest,
): GoogleBodyFinding | { readonly doubt: string } {
  if (STREAMS.has(`${call.service}.${call.method}`))
    return { tier: "sensitive", reason: "a stream of writes that may delete" };
  const judged = judgedCall(call);
  if (judged === undefined) return undefined;
  const { body } = request;
  if (body.kind === "none") return undefined;
  if (body.kind === "unread" || call.isSocket) return { doubt: "the message decides, and it was not read" };
  if (/\bjson\b/i.test(headerValue(request.headers, "content-type") ?? ""))
    return judged.json(bodyText(body) ?? "");
  const isFramed = /^\s*application\/grpc/i.test(headerValue(request.headers, "content-type") ?? "");
  const messages = isFramed ? messagesOf(body.bytes) : [body.bytes];
  const found = messages?.map((message) => judgeMessage(message, judged));
  if (found === undefined || found.includes("malformed"))
    return { doubt: "the message decides, and it cannot be read" };
  return found.find((one) => one !== undefined && one !== "malformed") as GoogleBodyFinding;
}

/** The messages of a gRPC body; undefined when one is compressed or cut off. */
function messagesOf(bytes: Uint8Array): Uint8Array[] | undefined {
  const messages: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    if (at + 5 > bytes.length || bytes[at] !== 0) return undefined;
    const end = at + 5 + view.getUint32(at + 1);
    if (end > bytes.length || messages.length > MOST_FIELDS) return undefined;
    messages.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return messages;
}

function judgeMessage(message: Uint8Array, { json, deletions }: JudgedCall): GoogleBodyFinding | "malformed" {
  const budget = { left: MOST_FIELDS };
  if (deletions !== undefined) {
    for (const path of deletions) {
      const holds = holdsField(message, path, budget);
      if (holds === undefined) return "malformed";
      if (holds) return { tier: "sensitive", reason: "writes that may delete" };
    }
    return undefined;
  }
  const texts: string[] = [];
  return collectTexts(message, texts, budget, 0) ? json(JSON.stringify(texts)) : "malformed";
}

/** Fields that one message may have, counted as often as they are looked at. */
const MOST_FIELDS = 50_000;

interface Budget {
  left: number;
}

/** Whether a field stands at a path; undefined for octets that are no protobuf. */
function holdsField(message: Uint8Array, path: readonly number[], budget: Budget): boolean | undefined {
  const [number, ...rest] = path;
  const fields = fieldsOf(message, budget);
  if (fields === undefined) return undefined;
  for (const field of fields) {
    if (field.number !== number) continue;
    if (rest.length === 0) return true;
    const holds = field.bytes === undefined ? undefined : holdsField(field.bytes, rest, budget);
    if (holds !== false) return holds;
  }
  return false;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Everything that reads as text, at every depth: which field holds the SQL differs from call to call. */
function collectTexts(message: Uint8Array, into: string[], budget: Budget, depth: number): boolean {
  const fields = fieldsOf(message, budget);
  if (fields === undefined) return false;
  for (const { bytes } of fields) {
    if (bytes === undefined || bytes.length === 0) continue;
    try {
      into.push(utf8.decode(bytes));
    } catch {
      // A message, or bytes.
    }
    if (depth < 4) collectTexts(bytes, into, budget, depth + 1);
  }
  return budget.left > 0;
}

interface Field {
  readonly number: number;
  /** Of a length-delimited field. */
  readonly bytes: Uint8Array | undefined;
}

/** The fields of a message in order; undefined for octets that are no protobuf, and for more than the limit. */
function fieldsOf(message: Uint8Array, budget: Budget): Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < message.length; ) {
    if (--budget.left < 0) return undefined;
    const key = varintAt(message, at);
    if (key === undefined || key.value < 8) return undefined;
    at = key.end;
    const number = Math.floor(key.value / 8);
    const kind = key.value % 8;
    if (kind === 0 || kind === 2) {
      const value = varintAt(message, at);
      if (value === undefined) return undefined;
      at = kind === 0 ? value.end : value.end + value.value;
      if (at > message.length) return undefined;
      fields.push({ number, bytes: kind === 0 ? undefined : message.subarray(value.end, at) });
    } else if (kind === 1 || kind === 5) {
      at += kind === 1 ? 8 : 4;
      if (at > message.length) return undefined;
      fields.push({ number, bytes: undefined });
    } else return undefined;
  }
  return fields;
}

function varintAt(
  bytes: Uint8Array,
  start: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let at = start; at < bytes.length && at < start + 10; at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * (at - start));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}
