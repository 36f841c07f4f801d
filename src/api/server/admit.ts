// The one place where a call is let in. The order is fixed: the caller, the method's effect, a
// person's presence, and only then the method. Every transport comes through here, and what throws
// here runs nothing.

import { UserError } from "../../model/user-error.ts";
import type { Gate } from "../gate.ts";
import { type AnyMethod, needsPresence } from "../method.ts";
import { mayHaveEffect, type Principal } from "../principal.ts";

/** One call before it is let in. */
export interface Call {
  readonly method: string;
  readonly entry: AnyMethod;
  readonly caller: Principal;
  /** Has the entry's shape. */
  readonly input: object;
  readonly proof: string | undefined;
}

/** A run has no effect of its own on anything; the methods that are made for runs are the only ones it may call. */
function mayCall({ kind }: Principal, entry: AnyMethod): boolean {
  return kind === "run" ? entry.isForRuns === true : mayHaveEffect(kind, entry.effect);
}

/** The caller, with the presence that was shown. Throws unless this call may be made. */
export async function admit(call: Call, gate: Gate): Promise<Principal> {
  const { method, entry, caller, input, proof } = call;
  if (!mayCall(caller, entry))
    throw new UserError(`a caller of the kind '${caller.kind}' may not call '${method}'`, {
      code: "not-permitted",
      hint:
        caller.kind === "run"
          ? "an agent in 'iddio run' has no say here: run the command outside of the sandbox"
          : "run the command as the user whom the daemon serves",
    });
  if (!needsPresence(entry, () => gate.standing(), input)) return caller;
  const presence = await gate.presence({
    method,
    effect: entry.effect,
    caller,
    input,
    proof,
    isForRoot: entry.isForRoot === true,
  });
  return { ...caller, presence };
}
