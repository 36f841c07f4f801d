// The one error that is meant for people: printed without a stack, once, in main.ts.

/** What went wrong and what to type next; lower case, values quoted, no full stop. */
export class UserError extends Error {
  /** What to type next, or undefined when the message says it all. */
  readonly hint: string | undefined;
  /** 1: refused or failed. 2: wrong usage. */
  readonly exitCode: 1 | 2;

  constructor(message: string, options: { hint?: string; exitCode?: 1 | 2; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "UserError";
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
  }
}
