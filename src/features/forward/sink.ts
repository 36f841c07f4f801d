// The contract of a sink: a place outside this machine's state directory that gets every audit row,
// at least once. A sink only formats and sends; `delivery.ts` decides when to send, again, and what
// to set aside. A new kind is a file in sinks/ and a line in `sink-kinds.ts`.

import { createHash } from "node:crypto";
import type { Entry } from "../../model/entry.ts";

/** How the rows are written: as they are in audit.jsonl, or as OCSF events. */
export const FORWARD_FORMATS = ["rows", "ocsf"] as const;

/** The format of the rows that a sink sends. */
export type ForwardFormat = (typeof FORWARD_FORMATS)[number];

/** A sink as it is stored. Secrets in it never leave the daemon. */
export interface SinkConfig {
  readonly name: string;
  /** As typed: `syslog+tls://logs.example.com:6514`. */
  readonly target: string;
  readonly format: ForwardFormat;
  /** Extra fields of HTTP requests, such as Authorization. */
  readonly headers: Readonly<Record<string, string>>;
  /** PEM certificates that are trusted instead of the system's. */
  readonly caPem?: string;
  /** Signs webhooks; the first is current, the others are still accepted by the receiver. */
  readonly secrets: readonly string[];
  /** Access key of an object store. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
}

/** How a batch went. */
export type Delivery =
  | { readonly kind: "delivered"; readonly rejected?: number; readonly note?: string }
  /** The same rows are sent again, not before `afterMs`. */
  | { readonly kind: "failed"; readonly reason: string; readonly afterMs?: number }
  /** The receiver will never take these rows: they are split, and a single one is set aside. */
  | { readonly kind: "refused"; readonly reason: string };

/** A row on its way; one of the control plane has its device and its place in that device's chain with it. */
export interface ForwardedEntry extends Entry {
  readonly device?: { readonly id: string; readonly name: string };
  readonly chain?: string;
  readonly seq?: number;
}

/** An open sink. */
export interface Sink extends AsyncDisposable {
  /** Rows of one batch; more would only be refused. */
  readonly maxRows: number;
  readonly maxBytes: number;
  /** Rows wait so long for company, so that an object store gets few objects. */
  readonly gatherMs: number;
  /** Never throws because of the receiver or the network; a throw is about the rows. */
  deliver(rows: readonly ForwardedEntry[], signal: AbortSignal): Promise<Delivery>;
}

/** Who sends: the fields that every receiver wants to know. */
export interface Sender {
  readonly hostname: string;
  readonly version: string;
}

/**
 * Names a row for receivers that tell doubles by it. A row of the control plane is named by its place: its own hash
 * is whatever its device wrote.
 */
export function rowKey({ hash, device, chain, seq }: ForwardedEntry): string {
  if (device === undefined) return hash;
  return createHash("sha256").update(`${device.id}/${chain}/${seq}`).digest("hex");
}

/** The machine that a row is of. */
export function hostnameOf({ device }: ForwardedEntry, { hostname }: Sender): string {
  return device?.name ?? hostname;
}
