// The control methods about requests that wait for a person, and about grants. Part of the table in
// methods.ts, whose rules hold here: existing entries only get additions.

import { method } from "../method.ts";
import { approval, approvalDetails, approvalReply, endedApproval, grantReport } from "../reports.ts";
import { flag, list, number, object, optional, text } from "../schema.ts";

const id = object({ id: text("id, its hex digits or a unique beginning") });

const NO_SUCH = { "not-found": "nothing has this id or name", ambiguous: "several match" };
const ENDED = { ended: "it has ended, and its request cannot be recognised when it is sent again" };
const OTHER = { "not-what-was-shown": "the id stands for another request than the one with this digest" };
const digest = optional(
  text("digest of the request that was shown; another request under the same id is not answered"),
);

/** The methods about approvals and grants. */
export const APPROVAL_METHODS = {
  approvals_list: method("read", "GET", "/v1/approvals", {
    about: "the requests that wait for a person, oldest first",
    output: object({ approvals: list(approval) }),
  }),
  approvals_ended: method("read", "GET", "/v1/approvals/ended", {
    about:
      "the requests that ended undecided within ten minutes and can still be let through once, latest first",
    output: object({ approvals: list(endedApproval) }),
  }),
  approvals_show: method("read", "POST", "/v1/approvals/show", {
    about: "all that is known of one request",
    input: id,
    output: object({ approval: approvalDetails }),
    errors: NO_SUCH,
  }),
  approvals_allow: method("decide", "POST", "/v1/approvals/allow", {
    about: "lets one request through",
    input: object({
      id: text(),
      reason: optional(text()),
      digest,
      for_ms: optional(number("also lets requests like it through for so long; at most a day")),
      rest_of_command: optional(
        flag(
          "also lets the further requests of this process through, in the same scope and at most this tier, for a minute",
        ),
      ),
    }),
    output: approvalReply,
    errors: { ...NO_SUCH, ...ENDED, ...OTHER, "not-grantable": "it can only be let through once" },
  }),
  approvals_deny: method("decide", "POST", "/v1/approvals/deny", {
    about: "refuses one request",
    input: object({
      id: text(),
      reason: optional(text()),
      instead: optional(text("a suggestion to the client: do this in its place")),
      digest,
    }),
    output: approvalReply,
    narrows: { because: "a denied request goes nowhere" },
    errors: { ...NO_SUCH, ...ENDED, ...OTHER },
  }),

  grants_list: method("read", "GET", "/v1/grants", {
    about: "the grants in force",
    output: object({ grants: list(grantReport) }),
  }),
  grants_revoke: method("change", "POST", "/v1/grants/revoke", {
    about: "ends a grant",
    input: id,
    output: object({ id: text() }),
    narrows: { because: "without the grant the same requests wait for a person again" },
    errors: NO_SUCH,
  }),
} as const;
