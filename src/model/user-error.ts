// The one error that is meant for people: printed without a stack, once, in main.ts.

/** What a `UserError` may be made with. */
export interface UserErrorOptions {
  readonly hint?: string;
  readonly exitCode?: 1 | 2;
  /** A word for programs, such as `not-found`; the control API lists them for each method. */
  readonly code?: string;
  readonly cause?: unknown;
}

/** What went wrong and what to type next; lower case, values quoted, no full stop. */
export class UserError extends Error {
  /** What to type next, or undefined when the message says it all. */
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
