// Endpoints that search: the audit rows of all devices, and what people did here.
// Both are read as they are stored: nothing here changes or shortens a row.

import { anything, number, object, optional, text } from "../../api/schema.ts";
import { maybeText, numberOf, type Row, textOf } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import { type AnyEndpoint, get, limitOf, PAGE_QUERY, page, pageOf, readCursor } from "./endpoint.ts";

const auditRow = object({
  device: object({ id: text(), name: text() }),
  chain: text(),
  seq: number(),
  at_ms: number(),
  row: anything("as the device wrote it"),
});

const act = object({
  id: text(),
  at_ms: number(),
  who: text("id of a person, a token or a device"),
  name: optional(text()),
  act: text(),
  about: text(),
  details: anything(),
});

/** Columns that are compared as they are. */
const EXACT = ["op", "outcome", "tier", "protocol", "command", "host"] as const;

function rowJson(row: Row) {
  const line = textOf(row, "line");
  let parsed: unknown = line;
  try {
    parsed = JSON.parse(line);
  } catch {
    // It is shown as it came.
  }
  return {
    device: { id: textOf(row, "device_id"), name: textOf(row, "device_name") },
    chain: textOf(row, "chain"),
    seq: numberOf(row, "seq"),
    at_ms: numberOf(row, "at_ms"),
    row: parsed,
  };
}

function timeOf(value: string | undefined, name: string): number | null {
  if (value === undefined) return null;
  if (!/^\d{1,15}$/.test(value)) throw new Problem(400, "bad-input", `'${name}' is no time in milliseconds`);
  return Number(value);
}

/** The LIKE pattern that finds the text literally, anywhere in a value. */
function containing(value: string): string {
  return `%${value.replace(/[\\%_]/g, "\\$&")}%`;
}

/** The endpoints about audit rows and acts. */
export const AUDIT_ENDPOINTS: readonly AnyEndpoint[] = [
  get("/api/v1/audit", {
    about: "audit rows of all devices, latest first",
    right: "look",
    query: {
      ...PAGE_QUERY,
      from_ms: optional(text()),
      to_ms: optional(text()),
      device: optional(text("id")),
      op: optional(text()),
      outcome: optional(text()),
      tier: optional(text()),
      protocol: optional(text()),
      command: optional(text()),
      host: optional(text()),
      text: optional(text("is anywhere in the row")),
    },
    output: pageOf(auditRow),
    async handle({ tx }, { query }) {
      const limit = limitOf(query);
      const after = readCursor(query.cursor, 4);
      const conditions: string[] = [];
      const values: (string | number)[] = [];
      const add = (condition: (place: string) => string, value: string | number) => {
        values.push(value);
        conditions.push(condition(`$${values.length}`));
      };
      const [from, to] = [timeOf(query.from_ms, "from_ms"), timeOf(query.to_ms, "to_ms")];
      if (from !== null) add((place) => `r.at_ms >= ${place}::bigint`, from);
      if (to !== null) add((place) => `r.at_ms < ${place}::bigint`, to);
      if (query.device !== undefined) add((place) => `r.device_id = ${place}`, query.device);
      for (const column of EXACT) {
        const value = query[column];
        if (value !== undefined) add((place) => `r.${column} = ${place}`, value);
      }
      if (query.text !== undefined) add((place) => `r.line ilike ${place}`, containing(query.text));
      if (after !== undefined) {
        const [atMs, device, chain, seq] = after;
        values.push(Number(atMs), String(device), String(chain), Number(seq));
        const first = values.length - 3;
        conditions.push(
          `(r.at_ms, r.device_id, r.chain, r.seq) < ($${first}::bigint, $${first + 1}, $${first + 2}, $${first + 3}::bigint)`,
        );
      }
      values.push(limit + 1);
      const rows = await tx.rows(
        "select r.device_id, r.chain, r.seq, r.at_ms, r.line, d.name as device_name from audit_rows r " +
          "join devices d on d.id = r.device_id " +
          (conditions.length === 0 ? "" : `where ${conditions.join(" and ")} `) +
          `order by r.at_ms desc, r.device_id desc, r.chain desc, r.seq desc limit $${values.length}`,
        values,
      );
      return page(rows, limit, rowJson, (row) => [
        numberOf(row, "at_ms"),
        textOf(row, "device_id"),
        textOf(row, "chain"),
        numberOf(row, "seq"),
      ]);
    },
  }),
  get("/api/v1/acts", {
    about: "the acts of people, tokens and devices here, latest first",
    right: "look",
    query: { ...PAGE_QUERY, act: optional(text()), about: optional(text()) },
    output: pageOf(act),
    async handle({ tx }, { query }) {
      const limit = limitOf(query);
      const after = readCursor(query.cursor, 2);
      const rows = await tx.rows(
        "select a.*, coalesce(p.name, t.name, d.name) as name from acts a left join people p on p.id = a.who " +
          "left join api_tokens t on t.id = a.who left join devices d on d.id = a.who " +
          "where ($1::text is null or a.act = $1) and ($2::text is null or a.about = $2) " +
          "and ($3::bigint is null or (a.at_ms, a.id) < ($3::bigint, $4)) order by a.at_ms desc, a.id desc limit $5",
        [
          query.act ?? null,
          query.about ?? null,
          after === undefined ? null : Number(after[0]),
          String(after?.[1] ?? ""),
          limit + 1,
        ],
      );
      return page(
        rows,
        limit,
        (row) => {
          const name = maybeText(row, "name");
          return {
            id: textOf(row, "id"),
            at_ms: numberOf(row, "at_ms"),
            who: textOf(row, "who"),
            ...(name === undefined ? {} : { name }),
            act: textOf(row, "act"),
            about: textOf(row, "about"),
            details: JSON.parse(textOf(row, "details")) as unknown,
          };
        },
        (row) => [numberOf(row, "at_ms"), textOf(row, "id")],
      );
    },
  }),
];
