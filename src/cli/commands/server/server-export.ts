// `iddio server export`: the audit rows of a tenant on standard output, for an archive.
// It reads the database a page at a time, and needs no running server.

import { UserError } from "../../../model/user-error.ts";
import type { Command } from "../../kit/command.ts";
import { DATABASE_FLAGS } from "./server.ts";
import { withTenant } from "./server-key.ts";

const DAY = /^\d{4}-\d\d-\d\d$/;

/** Writes them. */
export const serverExportCommand: Command = {
  name: "server export",
  summary: "Write the audit rows of a tenant's gateways, a line each",
  args: [{ name: "tenant" }],
  flags: [
    { name: "from", value: "day", summary: "Only rows received on this day (UTC) or later: 2026-11-01" },
    { name: "to", value: "day", summary: "Only rows received before this day" },
    ...DATABASE_FLAGS,
  ],
  details: [
    "Each line names the device, the chain, the place in it, and the row as it came.",
    "Rows are sorted by device and chain; the hash of a chain can be computed again.",
  ],
  examples: ["iddio server export acme --from 2026-11-01 --to 2026-12-01 > november.jsonl"],
  async run(context) {
    const { flags, output } = context;
    const day = (name: string, otherwise: string) => {
      const text = flags.text(name) ?? otherwise;
      if (!DAY.test(text) || Number.isNaN(Date.parse(text)))
        throw new UserError(`'${text}' is no day`, { exitCode: 2, hint: "2026-11-01" });
      return text;
    };
    const range = { from: day("from", "1970-01-01"), to: day("to", "9999-12-31") };
    await withTenant(context, async ({ database }, tenant) => {
      const { exportRows } = await import("../../../server/audit/export-rows.ts");
      for await (const line of exportRows(database, tenant.id, range)) output.line(line);
    });
  },
};
