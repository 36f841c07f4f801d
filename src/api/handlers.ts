// What the daemon implements: one function for each method of the table, typed by it. A handler runs only after the
// caller was let in (admit.ts) and its input was checked.

import type { CallMethod, ControlMethods, StreamMethod } from "./methods.ts";
import type { Principal } from "./principal.ts";

/** The sending end of a stream. */
export interface RowSink<Row> {
  /** Never blocks; when the reader is slow the oldest unsent rows are dropped and counted. */
  send(row: Row): void;
  /** Every row that the client sends, checked; nothing for a method that takes none. */
  onRow(listener: (row: unknown) => void): void;
  /** Aborted when the reader has gone or the server closes. */
  readonly signal: AbortSignal;
}

/** What the daemon implements: one function a method. Throw a UserError to refuse. */
export type ControlHandlers = {
  readonly [M in CallMethod]: (
    input: ControlMethods[M]["input"],
    caller: Principal,
  ) => ControlMethods[M]["output"] | Promise<ControlMethods[M]["output"]>;
} & {
  /** The stream ends when the returned promise resolves. */
  readonly [M in StreamMethod]: (
    input: ControlMethods[M]["input"],
    caller: Principal,
    sink: RowSink<ControlMethods[M]["output"]>,
  ) => void | Promise<void>;
};
