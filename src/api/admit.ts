// The one place where a call is let in. The order is fixed: who calls, what the method may do, whether a person is
// present, and only then the method. Every transport comes through here, and what throws here runs nothing.

import { UserError } from "../model/user-error.ts";
import type { AnyMethod } from "./method.ts";
import { mayHaveEffect, type Principal } from "./principal.ts";

/** Throws unless this caller may have this method's effect. */
export function admit(name: string, entry: AnyMethod, caller: Principal): void {
  if (!mayHaveEffect(caller.kind, entry.effect))
    throw new UserError(`a caller of the kind '${caller.kind}' may not call '${name}'`, {
      code: "not-permitted",
      hint: "run the command as the user whom the daemon serves",
    });
}
