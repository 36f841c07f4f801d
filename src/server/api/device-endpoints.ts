// Endpoints about the fleet: devices, their tokens, and the acts on them. A device is never
// removed, because its rows name it.

import { list, number, object, optional, text, words } from "../../api/schema.ts";
import { writeAct } from "../audit/acts.ts";
import { maybeNumber, maybeText, numberOf, type Row, type Tx, textOf } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import { settleNotice } from "../notify/notice-rows.ts";
import { assignedRevision } from "../policy/assignment.ts";
import { copyRevision } from "../policy/revisions.ts";
import { hashOfSecret, newId, newSecret, writeToken } from "../sealer.ts";
import { type AnyEndpoint, get, limitOf, PAGE_QUERY, page, pageOf, post, readCursor } from "./endpoint.ts";

const position = object({ epoch: number(), revision: number(), digest: text() });

const device = object({
  id: text(),
  name: text("the machine's own name"),
  platform: text(),
  version: text("of iddio"),
  mode: text(),
  group: text(),
  ring: number("0 to 99: a roll-out of so many percent has the devices below"),
  owner: object({ id: text(), name: text() }),
  state: words(["active", "revoked"]),
  created_ms: number(),
  seen_ms: number(),
  policy: optional(position),
  dry_policy: optional(position),
  wanted: optional(position),
  refused: optional(text("why it did not take a policy")),
  held: number("asks that wait there"),
  alerts: list(text(), "the problem with its audit rows"),
});

const SELECT =
  "select d.*, p.name as owner_name, (select coalesce(json_agg(c.alert)::text, '[]') from device_chains c " +
  "where c.device_id = d.id and c.alert is not null) as alerts from devices d join people p on p.id = d.owner_id";

const GROUP = /^[a-z0-9][a-z0-9-]{0,62}$/;
const TOKEN_MS = 24 * 60 * 60_000;

function deviceJson(row: Row) {
  const parsed = (column: string) => {
    const value = maybeText(row, column);
    return value === undefined ? {} : { [column]: JSON.parse(value) as never };
  };
  const refused = maybeText(row, "refused");
  return {
    id: textOf(row, "id"),
    name: textOf(row, "name"),
    platform: textOf(row, "platform"),
    version: textOf(row, "version"),
    mode: textOf(row, "mode"),
    group: textOf(row, "device_group"),
    ring: numberOf(row, "ring"),
    owner: { id: textOf(row, "owner_id"), name: textOf(row, "owner_name") },
    state: maybeNumber(row, "revoked_ms") === undefined ? ("active" as const) : ("revoked" as const),
    created_ms: numberOf(row, "created_ms"),
    seen_ms: numberOf(row, "seen_ms"),
    ...parsed("policy"),
    ...parsed("dry_policy"),
    ...(refused === undefined ? {} : { refused }),
    held: numberOf(row, "held"),
    alerts: JSON.parse(textOf(row, "alerts")) as readonly string[],
  };
}

async function deviceRow(tx: Tx, id: string): Promise<Row> {
  const [row] = await tx.rows(`${SELECT} where d.id = $1`, [id]);
  if (row === undefined) throw new Problem(404, "not-found", "there is no such device");
  return row;
}

/** The endpoints about devices and their tokens. */
export const DEVICE_ENDPOINTS: readonly AnyEndpoint[] = [
  get("/api/v1/devices", {
    about: "the devices, by name",
    right: "look",
    query: { ...PAGE_QUERY, group: optional(text()), state: optional(text("active or revoked")) },
    output: pageOf(device),
    async handle({ tx }, { query }) {
      const limit = limitOf(query);
      const [name, id] = readCursor(query.cursor, 2) ?? ["", ""];
      const rows = await tx.rows(
        `${SELECT} where (d.name, d.id) > ($1, $2) and ($3::text is null or d.device_group = $3) ` +
          "and ($4::text is null or ($4 = 'revoked') = (d.revoked_ms is not null)) order by d.name, d.id limit $5",
        [String(name), String(id), query.group ?? null, query.state ?? null, limit + 1],
      );
      return page(rows, limit, deviceJson, (row) => [textOf(row, "name"), textOf(row, "id")]);
    },
  }),
  get("/api/v1/devices/{id}", {
    about: "one device",
    right: "look",
    output: device,
    errors: { "not-found": "there is no such device" },
    async handle({ tx }, { path }) {
      const row = await deviceRow(tx, path.id);
      const found = { group: textOf(row, "device_group"), ring: numberOf(row, "ring") };
      const wanted = await assignedRevision(tx, found, "enforced");
      if (wanted === undefined) return deviceJson(row);
      const { epoch, revision, digest } = wanted;
      return { ...deviceJson(row), wanted: { epoch, revision, digest } };
    },
  }),
  post("/api/v1/devices/{id}/revoke", {
    about: "ends a device: it keeps its last policy, and gets no answers any more",
    right: "administer",
    input: object({ reason: text() }),
    output: device,
    errors: { "not-found": "there is no such device" },
    async handle(call, { path, input }) {
      const { tx, principal, nowMs, parts } = call;
      const changed = await tx.rows(
        "update devices set revoked_ms = $2 where id = $1 and revoked_ms is null returning name",
        [path.id, nowMs],
      );
      const row = await deviceRow(tx, path.id);
      if (changed.length === 0) return deviceJson(row);
      const gone = await tx.rows(
        "update approvals set state = 'ended', outcome = 'withdrawn', ended_ms = $2 where device_id = $1 and state <> 'ended' returning nonce",
        [path.id, nowMs],
      );
      for (const each of gone)
        await settleNotice(tx, `${path.id}/${textOf(each, "nonce")}`, { outcome: "withdrawn", nowMs });
      await writeAct(tx, nowMs, principal.id, "device.revoke", path.id, { reason: input.reason });
      await parts.ticks.announce(call);
      return deviceJson(row);
    },
  }),
  post("/api/v1/devices/{id}/move", {
    about: "puts a device into another group",
    right: "administer",
    input: object({ group: text() }),
    output: device,
    errors: { "not-found": "there is no such device" },
    async handle(call, { path, input }) {
      const { tx, principal, nowMs, parts } = call;
      if (!GROUP.test(input.group)) throw new Problem(400, "bad-input", "this is no name of a group");
      const row = await deviceRow(tx, path.id);
      await tx.rows("update devices set device_group = $2 where id = $1", [path.id, input.group]);
      // A device takes no older revision: what its new group has is published again when it is older.
      const now = { group: input.group, ring: numberOf(row, "ring") };
      const has = maybeText(row, "policy");
      const wanted = await assignedRevision(tx, now, "enforced");
      const had = has === undefined ? 0 : (JSON.parse(has) as { revision: number }).revision;
      if (wanted !== undefined && wanted.revision < had)
        await copyRevision(tx, wanted.revision, { group: input.group, by: principal.id, nowMs });
      await writeAct(tx, nowMs, principal.id, "device.move", path.id, {
        from: textOf(row, "device_group"),
        to: input.group,
      });
      await parts.ticks.announce(call);
      return deviceJson(await deviceRow(tx, path.id));
    },
  }),
  post("/api/v1/enroll-tokens", {
    about: "makes a token that enrols one device, for one person, within a day; it is told once",
    right: "administer",
    input: object({
      owner: text("id of the person for whom the device will ask"),
      group: optional(text("default unless given")),
    }),
    output: object({ id: text(), token: text(), ends_ms: number() }),
    errors: { "not-found": "there is no such person" },
    async handle({ tx, principal, nowMs, tenant }, { input }) {
      const group = input.group ?? "default";
      if (!GROUP.test(group)) throw new Problem(400, "bad-input", "this is no name of a group");
      const [owner] = await tx.rows("select id from people where id = $1 and disabled_ms is null", [
        input.owner,
      ]);
      if (owner === undefined) throw new Problem(404, "not-found", "there is no such person");
      const [id, secret, ends] = [newId("ent"), newSecret(), nowMs + TOKEN_MS];
      await tx.rows(
        "insert into enroll_tokens (id, hash, owner_id, device_group, created_ms, ends_ms) values ($1, $2, $3, $4, $5, $6)",
        [id, hashOfSecret(secret), input.owner, group, nowMs, ends],
      );
      await writeAct(tx, nowMs, principal.id, "enroll-token.make", id, { owner: input.owner, group });
      return { id, token: writeToken("idet", tenant.id, secret), ends_ms: ends };
    },
  }),
];
