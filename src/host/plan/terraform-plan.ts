// Reads the changes in a saved plan of terraform or OpenTofu from the file itself: a program that
// could show it would be started in the agent's folder, with the agent's providers. Field numbers
// are those of planfile.proto, version 3; addresses and actions only, values stay unread.

import { createHash } from "node:crypto";
import { zipEntry } from "./zip-entry.ts";

/** The planned change of one resource. */
export interface PlannedChange {
  readonly address: string;
  readonly action: "create" | "read" | "update" | "delete" | "replace" | "forget" | "unknown";
}

/** A saved plan. */
export interface SavedPlan {
  /** Of the file, in hex. */
  readonly sha256: string;
  /** It tears down everything (`plan -destroy`). */
  readonly isDestroy: boolean;
  readonly changes: readonly PlannedChange[];
}

const PLAN_MAX = 64 * 1024 * 1024;
const VERSION = 3;
const MODE_DESTROY = 1;
const ACTIONS: Readonly<Record<number, PlannedChange["action"] | undefined>> = {
  0: undefined,
  1: "create",
  2: "read",
  3: "update",
  5: "delete",
  6: "replace",
  7: "replace",
  8: "forget",
  9: "replace",
};

const GRAVITY = ["unknown", "delete", "replace", "forget", "update", "create", "read"];

/** Reads a plan; undefined when it is none that we know how to read, which is never the same as an empty one. */
export function readPlan(file: Uint8Array): SavedPlan | undefined {
  const plan = zipEntry(file, "tfplan", PLAN_MAX);
  if (plan === undefined) return undefined;
  const fields = fieldsOf(plan);
  if (fields === undefined) return undefined;
  let version = 0;
  let isDestroy = false;
  const changes: PlannedChange[] = [];
  for (const { number, value } of fields) {
    if (number === 1 && typeof value === "number") version = value;
    if (number === 17 && typeof value === "number") isDestroy = value === MODE_DESTROY;
    // 3: changes. 27: changes that are deferred to a later plan are not this one's.
    if (number !== 3 || typeof value === "number") continue;
    const change = changeOf(value);
    if (change === "unreadable") return undefined;
    if (change !== undefined) changes.push(change);
  }
  if (version !== VERSION) return undefined;
  // Resources that would be lost come first: the list may be cut.
  changes.sort((one, other) => GRAVITY.indexOf(one.action) - GRAVITY.indexOf(other.action));
  return { sha256: createHash("sha256").update(file).digest("hex"), isDestroy, changes };
}

function changeOf(bytes: Uint8Array): PlannedChange | "unreadable" | undefined {
  const fields = fieldsOf(bytes);
  const text = (number: number) => {
    const found = fields?.find((each) => each.number === number)?.value;
    return found instanceof Uint8Array ? new TextDecoder().decode(found) : "";
  };
  const inner = fields?.find((each) => each.number === 9)?.value;
  const change = inner instanceof Uint8Array ? fieldsOf(inner) : undefined;
  const address = text(13);
  if (change === undefined || address === "") return "unreadable";
  const action = change.findLast((each) => each.number === 1)?.value ?? 0;
  if (typeof action !== "number") return "unreadable";
  const known = action in ACTIONS ? ACTIONS[action] : "unknown";
  const deposed = text(7);
  return known && { address: deposed === "" ? address : `${address} (deposed ${deposed})`, action: known };
}

interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

/** The fields of a message in the protocol buffers' wire format; undefined when it is malformed. */
function fieldsOf(bytes: Uint8Array): readonly Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number | undefined => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at];
      if (byte === undefined) return undefined;
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const key = varint();
    if (key === undefined) return undefined;
    const number = Math.floor(key / 8);
    const value = contentOf(key % 8, varint, (length) => {
      const end = at + length;
      if (end > bytes.length) return undefined;
      const part = bytes.subarray(at, end);
      at = end;
      return part;
    });
    if (value === undefined) return undefined;
    fields.push({ number, value });
  }
  return fields;
}

function contentOf(
  type: number,
  varint: () => number | undefined,
  take: (length: number) => Uint8Array | undefined,
): number | Uint8Array | undefined {
  switch (type) {
    case 0:
      return varint();
    case 1:
      return take(8);
    case 2: {
      const length = varint();
      return length === undefined ? undefined : take(length);
    }
    case 5:
      return take(4);
    default:
      return undefined;
  }
}

/** `1 to create, 2 to delete`, then a line for each change. */
export function planText({ changes, isDestroy, sha256 }: SavedPlan, mostLines: number): string {
  const counts = Map.groupBy(changes, ({ action }) => action);
  const sums = [...counts].map(([action, of]) => `${of.length} to ${action}`).join(", ");
  const lines = changes.slice(0, mostLines).map(({ action, address }) => `${action} ${address}`);
  const rest = changes.length - lines.length;
  return [
    `${isDestroy ? "destroys everything: " : ""}${sums === "" ? "no changes" : sums}`,
    ...lines,
    ...(rest > 0 ? [`and ${rest} more`] : []),
    `SHA-256 ${sha256}`,
  ].join("\n");
}
