// A row of audit.jsonl, in the shape that the file has had since its first release:
// four fields on top, everything else under `fields`. JSON names are snake_case here
// because this type is the file format.

import type { Action } from "./action.ts";
import type { Outcome } from "./outcome.ts";
import type { Protocol } from "./protocol.ts";
import type { TierOrUnknown } from "./tier.ts";

/** Every kind of row. `intent` comes before a request above observe is forwarded and has no decision. */
export const ENTRY_OPS = [
  "mitm",
  "intent",
  "block",
  "passthrough",
  "pin_splice",
  "control",
  "hook",
  "mcp",
  "ssh",
  "session",
] as const;

/** The kind of an audit row, its `op` field. */
export type EntryOp = (typeof ENTRY_OPS)[number];

/** The process that sent a request, as far as the operating system told. */
export interface ClientIdentity {
  readonly user?: string;
  readonly pid?: number;
  readonly process?: string;
  /** Name of the `iddio run` that it belongs to; absent outside of one. */
  readonly run?: string;
  readonly run_id?: string;
}

/** A process above the one that asks, as far as the operating system told. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly process: string;
  readonly user?: string;
}

/** The asking process as a person is shown it; audit rows carry only `ClientIdentity`. */
export interface ClientDetails extends ClientIdentity {
  /** File that the process was started from. */
  readonly program?: string;
  /** The processes that started it, nearest first. */
  readonly ancestors?: readonly ProcessIdentity[];
}

/** The fields that rows may carry; each op uses those that make sense for it. */
export interface EntryFields {
  readonly request_id?: string;
  readonly host?: string;
  readonly port?: number;
  readonly method?: string;
  readonly path?: string;
  readonly protocol?: Protocol;
  readonly tier?: TierOrUnknown;
  readonly command?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly decision?: Action;
  readonly rule?: string;
  readonly outcome?: Outcome;
  readonly approval_id?: string;
  /** Of a hook: the agent whose command line it was. */
  readonly agent?: string;
  readonly status?: number;
  readonly reason?: string;
  readonly duration_ms?: number;
  readonly client?: ClientIdentity;
  readonly [extra: string]: unknown;
}

/** One row. */
export interface Entry {
  /** Unix epoch, milliseconds. */
  readonly timestamp_ms: number;
  readonly op: EntryOp;
  /** 128 random bits in hex: an id for paging, derived from nothing. */
  readonly hash: string;
  readonly fields: EntryFields;
}
