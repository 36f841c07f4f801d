// Calls of the control API from the page, typed by the same table as the daemon's. Where the daemon
// asks for a person, the page asks (presence.ts) and the call is sent again with the proof.

import type { PresenceQuestion } from "../../../../api/gate.ts";
import { type CallMethod, type ControlMethods, METHODS } from "../../../../api/methods.ts";
import { askPresence } from "./presence.ts";
import { leaveSession, sessionHeader } from "./session.ts";

/** A call that was refused, in the daemon's words. */
export class CallFailed extends Error {
  override readonly name = "CallFailed";
  readonly hint: string | undefined;
  readonly code: string | undefined;
  readonly presence: PresenceQuestion | undefined;

  constructor(answer: Refusal) {
    super(answer.error ?? "the daemon refused");
    this.hint = answer.hint;
    this.code = answer.code;
    this.presence = answer.presence;
  }
}

interface Refusal {
  readonly error?: string;
  readonly hint?: string;
  readonly code?: string;
  readonly presence?: PresenceQuestion;
}

/** Calls a method. Throws CallFailed when the daemon refuses, TypeError when it is not there. */
export async function call<M extends CallMethod>(
  method: M,
  input: ControlMethods[M]["input"],
): Promise<ControlMethods[M]["output"]> {
  let proof: string | undefined;
  for (;;) {
    const response = await send(method, input, proof);
    if (response.ok) return (await response.json()) as ControlMethods[M]["output"];
    const failed = new CallFailed(await refusalOf(response));
    if (response.status === 401) leaveSession();
    if (failed.presence === undefined) throw failed;
    const next = await askPresence(failed.presence, failed, proof);
    if (next === undefined) throw failed;
    proof = next;
  }
}

/** Reads a piece of a log. */
export const readLog = (
  input: ControlMethods["audit_read"]["input"],
): Promise<ControlMethods["audit_read"]["output"]> => call("audit_read", input);

/** A request of the API with this tab's session. */
export function send(
  method: keyof typeof METHODS,
  input: object,
  proof?: string,
  signal?: AbortSignal,
): Promise<Response> {
  const { verb, path } = METHODS[method];
  return fetch(path, {
    method: verb,
    cache: "no-store",
    headers: {
      authorization: sessionHeader(),
      ...(verb === "POST" ? { "content-type": "application/json" } : {}),
      ...(proof === undefined ? {} : { "iddio-proof": proof }),
    },
    ...(verb === "POST" ? { body: JSON.stringify(input) } : {}),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function refusalOf(response: Response): Promise<Refusal> {
  try {
    return (await response.json()) as Refusal;
  } catch {
    return { error: `the daemon answered ${response.status}` };
  }
}
