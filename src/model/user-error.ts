// The one error that is meant for people: printed without a stack, once, in main.ts.

/** The optional parts of a `UserError`; `exitCode` is 1 unless given. */
export interface UserErrorOptions {
  readonly hint?: string;
  readonly exitCode?: 1 | 2;
  /** A word for programs, such as `not-found`; the control API lists them for each method. */
  readonly code?: string;
  readonly cause?: unknown;
}

/**
 * An error that main.ts prints once: the message in lower case, values quoted, no full stop, and a hint with
 * the command to type next.
 */
export class UserError extends Error {
  /** The next command to type; undefined when the message needs none. */
  readonly hint: string | undefined;
  /** 1: refused or failed. 2: wrong usage. */
  readonly exitCode: 1 | 2;
  /** A word for programs; undefined when the message is all there is. */
  readonly code: string | undefined;

  constructor(message: string, options: UserErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "UserError";
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
    this.code = options.code;
  }
}
