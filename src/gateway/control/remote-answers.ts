// Answers that come from elsewhere: they go through the same gate and the same handlers as every
// other call of the control API, in the name of who gave them. Nothing here decides.

import type { Gate } from "../../api/gate.ts";
import { type ControlHandlers, callHandler } from "../../api/handlers.ts";
import { entryOf } from "../../api/methods.ts";
import type { AnswerAs, Principal } from "../../api/principal.ts";
import { admit } from "../../api/server/admit.ts";

/** Gives the function by which somebody elsewhere answers one approval. The parts are asked for at each answer. */
export function remoteAnswers(
  parts: () => { readonly handlers: ControlHandlers; readonly gate: Gate },
): AnswerAs {
  return async (who, verb, about) => {
    const method = verb === "allow" ? "approvals_allow" : "approvals_deny";
    const caller: Principal = who;
    const { handlers, gate } = parts();
    const call = { method, entry: entryOf(method), caller, input: about, proof: undefined };
    await callHandler(handlers, method, about, await admit(call, gate));
  };
}
