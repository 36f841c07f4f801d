// The reply of a failed call, on every transport: a status and a JSON object. A UserError is told
// as it is; of the daemon's own faults only the message is.

import { UserError } from "../model/user-error.ts";
import { PresenceNeeded } from "./gate.ts";

/** Status and body of an answer. */
export interface ErrorReply {
  readonly status: number;
  readonly value: Readonly<Record<string, unknown>>;
}

/** The answer to a call that threw. */
export function errorReply(error: unknown): ErrorReply {
  if (error instanceof UserError) {
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    const isHeld = error.code === "needs-presence" || error.code === "not-permitted";
    const question = error instanceof PresenceNeeded ? error.question : undefined;
    return {
      status: isHeld ? 403 : error.exitCode === 2 ? 400 : 409,
      value: {
        error: error.message,
        ...hint,
        ...(question === undefined ? {} : { presence: question }),
        exit_code: error.exitCode,
        ...(error.code === undefined ? {} : { code: error.code }),
      },
    };
  }
  if (isDiskFull(error)) {
    return {
      status: 507,
      value: {
        error: "the state directory cannot be written: the disk is full (ENOSPC)",
        hint: "free space on that disk and try again; existing files are unchanged",
      },
    };
  }
  return {
    status: 500,
    value: { error: `the daemon failed: ${error instanceof Error ? error.message : String(error)}` },
  };
}

/** Files say it by the system's codes, the database by its own. */
function isDiskFull(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^(?:ENOSPC|EDQUOT|SQLITE_FULL)$/.test(code);
}
