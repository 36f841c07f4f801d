// The daemon's side of the table: one function for each method, typed by it. A handler runs only
// after the caller was let in (admit.ts) and its input was checked.

import { valueProblem } from "./check-value.ts";
import {
  type CallMethod,
  type ControlMethod,
  type ControlMethods,
  entryOf,
  type StreamMethod,
} from "./methods.ts";
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

/** One function for each method. Throw a UserError to refuse. */
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

/** Runs the handler of a call that was let in. Throws when the answer does not fit the table. */
export async function callHandler(
  handlers: ControlHandlers,
  method: CallMethod,
  input: object,
  caller: Principal,
): Promise<object> {
  const handler = handlers[method] as (input: never, caller: Principal) => object | Promise<object>;
  const output = await handler(input as never, caller);
  const problem = valueProblem(entryOf(method).output, output, "strict");
  if (problem !== undefined)
    throw new TypeError(`the answer to ${method} does not fit the table: ${problem}`);
  return output;
}

/** Whether a method answers with a stream of rows. */
export function isStream(method: ControlMethod): method is StreamMethod {
  return entryOf(method).isStream === true;
}
