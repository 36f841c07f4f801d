// The methods about what iddio does for Kubernetes beside judging: the effect of a held request. A part of the table
// in methods.ts. What they tell was read with an agent's credentials, so only a person sees it.

import { effectReport } from "./effect-report.ts";
import { method } from "./method.ts";
import { object, text } from "./schema.ts";

const id = object({ id: text("id, its hex digits or a unique beginning") });
const NO_SUCH = { "not-found": "nothing has this id", ambiguous: "several match" };

/** A part of the table. */
export const KUBERNETES_METHODS = {
  approvals_effect: method("read", "POST", "/v1/approvals/effect", {
    about: "what a held request would do, looked at without doing it",
    isForPerson: true,
    input: id,
    output: object({ effect: effectReport }),
    errors: NO_SUCH,
  }),
} as const;
