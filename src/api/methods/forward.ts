// The control methods about forwarding audit rows, with their inputs and replies. Secrets go in;
// none comes out but one that the daemon made, once.

import { method } from "../method.ts";
import { list, map, number, object, optional, text, type Value, words } from "../schema.ts";

/** How one receiver of audit rows goes. */
export const forwardReport = object({
  name: text(),
  target: text("where rows go, without secrets"),
  format: words(["rows", "ocsf"]),
  added_ms: number(),
  delivered_rows: number("since it was added"),
  refused_rows: number("rows that the receiver refused; they are kept in a file"),
  behind_bytes: number("of audit.jsonl that it has not got yet"),
  last_delivered_ms: optional(number()),
  problem: optional(text("of the last try, as a clause; absent when it went well")),
  failing_since_ms: optional(number()),
});

/** A receiver of audit rows as the methods report it. */
export type ForwardReport = Value<typeof forwardReport>;

/** The input of `forward_add`. */
export const forwardStart = object({
  name: text(),
  target: text("its address; the scheme says the kind"),
  format: optional(text("rows or ocsf")),
  from: optional(words(["now", "start"])),
  headers: optional(map(text())),
  ca_pem: optional(text("trusted instead of the system's roots")),
  secret: optional(text("of a webhook; one is made when it is absent")),
  access_key_id: optional(text()),
  secret_access_key: optional(text()),
});

/** A receiver as `forward_add` takes it. */
export type ForwardStart = Value<typeof forwardStart>;

const NO_SUCH = { "not-found": "no receiver has this name" };

/** Their part of the table. */
export const FORWARD_METHODS = {
  forward_list: method("read", "GET", "/v1/forward", {
    about: "where audit rows are forwarded to, and how that goes",
    output: object({ sinks: list(forwardReport) }),
  }),
  forward_add: method("change", "POST", "/v1/forward/add", {
    about: "forwards audit rows to one more receiver",
    input: forwardStart,
    output: object({ sink: forwardReport, secret: optional(text("of a webhook; told only now")) }),
  }),
  forward_rotate: method("change", "POST", "/v1/forward/rotate", {
    about: "gives a webhook a new secret; the one before is valid until the next time",
    input: object({ name: text() }),
    output: object({ sink: forwardReport, secret: text() }),
    errors: NO_SUCH,
  }),
  forward_test: method("change", "POST", "/v1/forward/test", {
    about: "sends one row that says it is a test",
    input: object({ name: text() }),
    output: object({ problem: optional(text("why it did not arrive, as a clause")) }),
    errors: NO_SUCH,
  }),
  forward_remove: method("change", "POST", "/v1/forward/remove", {
    about: "ends forwarding to a receiver",
    input: object({ name: text() }),
    output: object({ sink: forwardReport }),
    errors: NO_SUCH,
  }),
} as const;
