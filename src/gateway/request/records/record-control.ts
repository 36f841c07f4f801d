// Writes the `control` row of a changed thing: the command, its facts, and the caller with its
// parent processes. Only the handler knows whether something changed, so it calls this.

import type { Principal } from "../../../api/principal.ts";
import { callerDetails } from "../client-details.ts";
import type { Recorder } from "./recorder.ts";

/** Records one command and its caller; `fields` hold no secret. */
export type RecordControl = (caller: Principal, command: string, fields?: Record<string, unknown>) => void;

/** Makes the function that writes to this recorder. */
export function recordControlTo(recorder: Recorder): RecordControl {
  return (caller, command, fields = {}) => {
    const { uid: caller_uid, pid: caller_pid, kind: principal, name: caller_name, presence = {} } = caller;
    const who = { caller_uid, caller_pid, principal, ...(caller_name ? { caller_name } : {}), ...presence };
    // The caller's parent processes tell a person at a shell from an agent that answers for itself.
    void callerDetails(caller).then((client) => recorder.control({ command, ...fields, ...who, client }));
  };
}
