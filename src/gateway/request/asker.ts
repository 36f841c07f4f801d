// Who asks, as the policy sees it: the name of the run, and whether a person was there when it was
// started.

import type { Asker } from "../../model/agent-label.ts";
import type { ClientIdentity } from "../../model/entry.ts";
import type { Gateway } from "./context.ts";

/** The asker behind a client. */
export function askerOf(
  { presentRuns }: Pick<Gateway, "presentRuns">,
  client: ClientIdentity | undefined,
): Asker {
  return { run: client?.run, isPresent: presentRuns.has(client?.run_id ?? "") };
}
