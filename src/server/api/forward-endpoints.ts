// Endpoints about where a tenant's audit rows are forwarded to. Secrets go in; none comes out but a
// webhook's own, once. Only an administrator names a receiver.

import { forwardStart } from "../../api/methods/forward.ts";
import { anything, number, object, optional, text, type Value, words } from "../../api/schema.ts";
import { FORWARD_FORMATS } from "../../features/forward/sink.ts";
import { newWebhookSecret } from "../../host/outgoing/standard-webhook.ts";
import { writeAct } from "../audit/acts.ts";
import { maybeNumber, maybeText, numberOf, type Row, textOf } from "../database/database.ts";
import { checkedServerSink, sealSink, sinkConfig, startAtEnd } from "../forward/sink-rows.ts";
import { BEHIND } from "../forward/table-source.ts";
import { Problem } from "../http/problem.ts";
import { checkReach } from "../notify/server-target.ts";
import {
  type AnyEndpoint,
  type EndpointCall,
  get,
  limitOf,
  PAGE_QUERY,
  page,
  pageOf,
  post,
  readCursor,
} from "./endpoint.ts";

const sink = object({
  name: text(),
  target: text("where rows go, without secrets"),
  format: words(FORWARD_FORMATS),
  added_ms: number(),
  delivered_rows: number("since it was added"),
  refused_rows: number("rows that the receiver refused; they are kept aside"),
  behind_rows: number("rows that it has not got yet"),
  last_delivered_ms: optional(number()),
  problem: optional(text("of the last try, as a clause; absent when it went well")),
  failing_since_ms: optional(number()),
  tested_ms: optional(number("when the last test row was sent")),
  test_problem: optional(text("why that one did not arrive")),
});

const refusedRow = object({
  device: text("id"),
  chain: text(),
  seq: number(),
  at_ms: number("when it was refused"),
  reason: text(),
  row: anything("the line as the device wrote it; null once retention dropped it"),
});

const MAX_SINKS = 20;
const MAX_SECRETS = 2;
const NO_SUCH = { "not-found": "no receiver has this name" };

function sinkJson({ parts, tenant }: EndpointCall, row: Row, behind: number): Value<typeof sink> {
  const { name, target, format } = sinkConfig(parts.sealer, tenant.id, row);
  const numbers = ["last_delivered_ms", "failing_since_ms", "tested_ms"] as const;
  const texts = ["problem", "test_problem"] as const;
  return {
    name,
    target,
    format,
    added_ms: numberOf(row, "added_ms"),
    delivered_rows: numberOf(row, "delivered_rows"),
    refused_rows: numberOf(row, "refused_rows"),
    behind_rows: behind,
    ...Object.fromEntries(
      numbers.flatMap((each) => {
        const value = maybeNumber(row, each);
        return value === undefined ? [] : [[each, value]];
      }),
    ),
    ...Object.fromEntries(
      texts.flatMap((each) => {
        const value = maybeText(row, each);
        return value === undefined ? [] : [[each, value]];
      }),
    ),
  };
}

async function report(call: EndpointCall, name: string): Promise<Value<typeof sink>> {
  const row = await sinkRow(call, name);
  return sinkJson(call, row, await behindOf(call, name));
}

async function sinkRow({ tx }: EndpointCall, name: string): Promise<Row> {
  const [row] = await tx.rows("select * from forward_sinks where name = $1", [name]);
  if (row === undefined) throw new Problem(404, "not-found", NO_SUCH["not-found"]);
  return row;
}

async function behindOf({ tx }: EndpointCall, name: string): Promise<number> {
  const [row] = await tx.rows(`select coalesce(sum(c.acked_seq - coalesce(p.seq, 0)), 0) as rows ${BEHIND}`, [
    name,
  ]);
  return row === undefined ? 0 : numberOf(row, "rows");
}

/** The endpoints about forwarding. */
export const FORWARD_ENDPOINTS: readonly AnyEndpoint[] = [
  get("/api/v1/forward-sinks", {
    about: "where audit rows are forwarded to, and how far each receiver got",
    right: "look",
    query: PAGE_QUERY,
    output: pageOf(sink),
    async handle(call, { query }) {
      const limit = limitOf(query);
      const [after] = readCursor(query.cursor, 1) ?? [];
      const rows = await call.tx.rows("select * from forward_sinks where name > $1 order by name limit $2", [
        String(after ?? ""),
        limit + 1,
      ]);
      const behind = new Map<string, number>();
      for (const row of rows) behind.set(textOf(row, "name"), await behindOf(call, textOf(row, "name")));
      return page(
        rows,
        limit,
        (row) => sinkJson(call, row, behind.get(textOf(row, "name")) ?? 0),
        (row) => [textOf(row, "name")],
      );
    },
  }),
  post("/api/v1/forward-sinks", {
    about: "forwards the audit rows of all devices to one more receiver",
    right: "administer",
    input: forwardStart,
    output: object({ sink, secret: optional(text("of a webhook; told only now")) }),
    errors: { conflict: "there is a receiver of this name already" },
    async handle(call, { input }) {
      const { tx, tenant, parts, principal, nowMs, afterwards } = call;
      const config = checkedServerSink(input);
      checkReach(parts.notifying?.reachPrivate === true, config.target);
      const [counted] = await tx.rows("select count(*) as sinks from forward_sinks");
      if (counted !== undefined && numberOf(counted, "sinks") >= MAX_SINKS)
        throw new Problem(409, "too-many", `there are ${MAX_SINKS} receivers already`);
      // Another number than that of a receiver that was removed under this name.
      await tx.rows(
        "insert into forward_sinks (name, sealed_config, version, added_ms) values ($1, $2, $3, $3)",
        [config.name, sealSink(parts.sealer, tenant.id, config), nowMs],
      );
      if (input.from !== "start") await startAtEnd(tx, config.name);
      await writeAct(tx, nowMs, principal.id, "forward.add", config.name, { target: config.target });
      afterwards(() => parts.forwarding?.look());
      const made = input.secret === undefined ? config.secrets[0] : undefined;
      return { sink: await report(call, config.name), ...(made === undefined ? {} : { secret: made }) };
    },
  }),
  get("/api/v1/forward-sinks/{name}/refused", {
    about: "the rows that a receiver refused, and why",
    right: "look",
    query: PAGE_QUERY,
    output: pageOf(refusedRow),
    errors: NO_SUCH,
    async handle(call, { path, query }) {
      await sinkRow(call, path.name);
      const limit = limitOf(query);
      const after = readCursor(query.cursor, 3) ?? ["", "", 0];
      const rows = await call.tx.rows(
        "select f.*, (select r.line from audit_rows r where r.received_day = f.day and r.device_id = f.device_id and r.chain = f.chain and r.seq = f.seq) as line " +
          "from forward_refused f where f.sink = $1 and (f.device_id, f.chain, f.seq) > ($2, $3, $4::bigint) " +
          "order by f.device_id, f.chain, f.seq limit $5",
        [path.name, String(after[0]), String(after[1]), Number(after[2]), limit + 1],
      );
      return page(
        rows,
        limit,
        (row) => {
          const line = maybeText(row, "line");
          return {
            device: textOf(row, "device_id"),
            chain: textOf(row, "chain"),
            seq: numberOf(row, "seq"),
            at_ms: numberOf(row, "at_ms"),
            reason: textOf(row, "reason"),
            row: line ?? null,
          };
        },
        (row) => [textOf(row, "device_id"), textOf(row, "chain"), numberOf(row, "seq")],
      );
    },
  }),
  post("/api/v1/forward-sinks/{name}/rotate", {
    about: "gives a webhook a new secret; the one before is valid until the next time",
    right: "administer",
    input: object({}),
    output: object({ sink, secret: text() }),
    errors: { ...NO_SUCH, "bad-input": "only webhooks are signed" },
    async handle(call, { path }) {
      const { tx, tenant, parts, principal, nowMs, afterwards } = call;
      const config = sinkConfig(parts.sealer, tenant.id, await sinkRow(call, path.name));
      if (config.secrets.length === 0) throw new Problem(400, "bad-input", "only webhooks are signed");
      const secret = newWebhookSecret();
      const secrets = [secret, ...config.secrets].slice(0, MAX_SECRETS);
      await tx.rows("update forward_sinks set sealed_config = $2, version = version + 1 where name = $1", [
        path.name,
        sealSink(parts.sealer, tenant.id, { ...config, secrets }),
      ]);
      await writeAct(tx, nowMs, principal.id, "forward.rotate", path.name);
      afterwards(() => parts.forwarding?.look());
      return { sink: await report(call, path.name), secret };
    },
  }),
  post("/api/v1/forward-sinks/{name}/test", {
    about: "sends one row that says it is a test; the list says how that went",
    right: "administer",
    input: object({}),
    output: sink,
    errors: NO_SUCH,
    async handle(call, { path }) {
      const { tx, parts, principal, nowMs, afterwards } = call;
      await sinkRow(call, path.name);
      await tx.rows("update forward_sinks set test_wanted = true where name = $1", [path.name]);
      await writeAct(tx, nowMs, principal.id, "forward.test", path.name);
      afterwards(() => parts.forwarding?.look());
      return report(call, path.name);
    },
  }),
  post("/api/v1/forward-sinks/{name}/remove", {
    about: "forwards nothing more to a receiver; rows that it lacks are not sent",
    right: "administer",
    input: object({}),
    output: sink,
    errors: NO_SUCH,
    async handle(call, { path }) {
      const { tx, parts, principal, nowMs, afterwards } = call;
      const json = await report(call, path.name);
      for (const table of ["forward_places", "forward_refused"])
        await tx.rows(`delete from ${table} where sink = $1`, [path.name]);
      await tx.rows("delete from forward_sinks where name = $1", [path.name]);
      await writeAct(tx, nowMs, principal.id, "forward.remove", path.name);
      afterwards(() => parts.forwarding?.look());
      return json;
    },
  }),
];
