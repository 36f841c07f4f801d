// `iddio approval grants …`: what `approval allow --for` has let go until when. A grant is made
// with an approval only, so that nobody can allow an ask that was never made.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import { hostText } from "../../text/host-port.ts";
import { labelText, timeLeft } from "./approval-facts.ts";

/** Lists the grants in force, soonest to end first. */
export const approvalGrantsListCommand: Command = {
  name: "approval grants list",
  summary: "List the grants in force",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const { grants } = await daemon.call("grants_list", {});
    if (flags.has("json")) return void output.json(grants);
    if (grants.length === 0) return void output.note("no grant is in force");
    await output.loadPaints();
    const now = Date.now();
    output.table(
      ["ID", "ENDS", "RUN", "HOST", "COMMAND", "SCOPE"],
      grants.map((each) => [
        each.id,
        timeLeft(each.expires_ms, now),
        each.run ?? "-",
        hostText(each),
        each.command,
        labelText(each.labels) ?? "-",
      ]),
    );
  },
};

/** Ends a grant now; asks that it let go stay gone. */
export const approvalGrantsRevokeCommand: Command = {
  name: "approval grants revoke",
  summary: "End a grant now",
  args: [{ name: "id", completes: "grant" }],
  flags: [JSON_FLAG],
  details: ["The id may be given without 'grant_' and cut short as long as it is unique."],
  examples: ["iddio approval grants revoke a1b2c3d4"],
  async run({ args, flags, output, daemon }) {
    const [id = ""] = args;
    const report = await daemon.call("grants_revoke", { id });
    if (flags.has("json")) return void output.json(report);
    output.line(`revoked ${report.id}`);
  },
};
