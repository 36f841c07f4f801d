// Endpoints about requests that wait on devices. The page shows the device's text; the device
// masked its secrets; the decision itself is approvals/decide.ts.

import { heldApproval } from "../../api/fleet/protocol.ts";
import { number, object, optional, text, words } from "../../api/schema.ts";
import { decideApproval } from "../approvals/decide.ts";
import { heldOf } from "../approvals/held.ts";
import { maybeNumber, maybeText, numberOf, type Row, textOf } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import { type AnyEndpoint, get, limitOf, PAGE_QUERY, page, pageOf, post, readCursor } from "./endpoint.ts";

const approval = object({
  device: object({ id: text(), name: text() }),
  owner: object({ id: text(), name: text("for whom the device asks: he may deny, and not allow") }),
  state: words(["waiting", "decided", "ended"]),
  verb: optional(text("allow or deny, once decided")),
  decided_by: optional(text()),
  decided_ms: optional(number()),
  outcome: optional(text("how it ended on the device")),
  held: heldApproval,
});

const SELECT =
  "select a.*, d.name as device_name, d.owner_id, p.name as owner_name from approvals a " +
  "join devices d on d.id = a.device_id join people p on p.id = d.owner_id";

function approvalJson(row: Row) {
  const optionalText = (name: string, column = name) => {
    const value = maybeText(row, column);
    return value === undefined ? {} : { [name]: value };
  };
  const decidedMs = maybeNumber(row, "decided_ms");
  return {
    device: { id: textOf(row, "device_id"), name: textOf(row, "device_name") },
    owner: { id: textOf(row, "owner_id"), name: textOf(row, "owner_name") },
    state: textOf(row, "state") as "waiting" | "decided" | "ended",
    ...optionalText("verb"),
    ...optionalText("decided_by"),
    ...(decidedMs === undefined ? {} : { decided_ms: decidedMs }),
    ...optionalText("outcome"),
    held: heldOf(row),
  };
}

const NO_SUCH = { "not-found": "nothing waits so" };

/** The endpoints about approvals. */
export const APPROVAL_ENDPOINTS: readonly AnyEndpoint[] = [
  get("/api/v1/approvals", {
    about: "requests that wait, oldest first; with state=ended those that ended, latest first",
    right: "look",
    query: { ...PAGE_QUERY, state: optional(text("waiting, decided or ended; waiting unless given")) },
    output: pageOf(approval),
    async handle({ tx }, { query }) {
      const limit = limitOf(query);
      const state = query.state ?? "waiting";
      if (!["waiting", "decided", "ended"].includes(state))
        throw new Problem(400, "bad-input", "'state' is waiting, decided or ended");
      const isDown = state === "ended";
      const after = readCursor(query.cursor, 2);
      const rows = await tx.rows(
        `${SELECT} where a.state = $1 and ($2::bigint is null or (a.held_ms, a.nonce) ${isDown ? "<" : ">"} ($2::bigint, $3)) ` +
          `order by a.held_ms ${isDown ? "desc" : ""}, a.nonce ${isDown ? "desc" : ""} limit $4`,
        [state, after === undefined ? null : Number(after[0]), String(after?.[1] ?? ""), limit + 1],
      );
      return page(rows, limit, approvalJson, (row) => [numberOf(row, "held_ms"), textOf(row, "nonce")]);
    },
  }),
  get("/api/v1/approvals/{device}/{nonce}", {
    about: "all that is known of one request",
    right: "look",
    output: approval,
    errors: NO_SUCH,
    async handle({ tx }, { path }) {
      const [row] = await tx.rows(`${SELECT} where a.device_id = $1 and a.nonce = $2`, [
        path.device,
        path.nonce,
      ]);
      if (row === undefined) throw new Problem(404, "not-found", "nothing waits so");
      return approvalJson(row);
    },
  }),
  post("/api/v1/approvals/{device}/{nonce}/decide", {
    about: "allows or denies one request; final once",
    right: "decide",
    input: object({
      verb: words(["allow", "deny"]),
      digest: text("of the request that was shown; another is not answered"),
      reason: optional(text()),
    }),
    output: approval,
    errors: {
      ...NO_SUCH,
      "own-request": "nobody allows an ask of his own device",
      "not-what-was-shown": "the request has another digest",
      ended: "it was decided already, or has ended",
      "needs-person": "a token without a person decides nothing",
    },
    async handle(call, { path, input }) {
      await decideApproval(call, { ...path, ...input });
      const [row] = await call.tx.rows(`${SELECT} where a.device_id = $1 and a.nonce = $2`, [
        path.device,
        path.nonce,
      ]);
      if (row === undefined) throw new Problem(404, "not-found", "nothing waits so");
      return approvalJson(row);
    },
  }),
];
