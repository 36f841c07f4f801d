// The entries of the control API's table about observe sessions: a bounded time in which everything
// is judged and recorded and nothing is blocked.

import { observeReport } from "../daemon-reports.ts";
import { method } from "../method.ts";
import { number, object, text } from "../schema.ts";

/** The methods about observe sessions. */
export const OBSERVE_METHODS = {
  observe_status: method("read", "GET", "/v1/observe", {
    about: "the observe session",
    output: observeReport,
  }),
  observe_start: method("change", "POST", "/v1/observe/start", {
    about: "judges and records, blocks nothing, for a bounded time",
    input: object({ duration_ms: number() }),
    output: observeReport,
  }),
  observe_stop: method("change", "POST", "/v1/observe/stop", {
    about: "ends the session; the mode from before comes back",
    output: observeReport,
    narrows: {
      because: "when the mode from before was `enforce`",
      proof: (before) => before.modeAfterObserve === "enforce",
    },
    errors: { "not-found": "no session runs" },
  }),
  observe_clear: method("change", "POST", "/v1/observe/clear", {
    about: "empties the observe log",
    output: object({ path: text() }),
  }),
} as const;
