// The entry of the control API's table that every start of a shell calls. In a file of its own: the
// whole table takes longer to load than the answer.

import { method } from "../method.ts";
import { statusReport } from "../reports.ts";

/** The method that tells the daemon's state. */
export const STATUS_METHOD = method("read", "GET", "/v1/status", {
  about: "the state of the daemon",
  output: statusReport,
});
