// `iddio policy replay`: what another policy would have decided about the requests of the audit log. Reads files only,
// so it needs no daemon; the rows stay as they are.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import { UserError } from "../../model/user-error.ts";
import type { ReplayChange } from "../../policy/replay/replay.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { HEADS } from "./compare.ts";
import { readPolicyFile } from "./policy-file.ts";
import { readPolicy } from "./read-policy.ts";

/** Exit code where the candidate would have let through more. */
const WIDER = 3;
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

/** Decides every request of the log by policy.yaml and by the candidate. */
export const policyReplayCommand: Command = {
  name: "policy replay",
  summary: "Show what another policy would have decided about past requests",
  args: [{ name: "candidate", completes: "file" }],
  flags: [
    {
      name: "since",
      value: "duration",
      kind: "duration",
      summary: "Only rows newer than this, e.g. 24h (default 7 days)",
    },
    JSON_FLAG,
  ],
  details: [
    "Compares with policy.yaml. Grants and people's answers are no part of either.",
    "Exit code 0: nothing differs, or the candidate is stricter. 3: it lets through more.",
  ],
  examples: ["iddio policy replay new.yaml --since 24h"],
  async run({ args, flags, output, paths }) {
    const inForce = await readPolicyFile(paths);
    if (inForce.policy === undefined)
      throw new UserError(inForce.problem, { hint: "see: iddio policy validate" });
    const candidate = await readPolicy(args[0] ?? "");
    const { Replay } = await import("../../policy/replay/replay.ts");
    const { rowsFromEnd } = await import("../../state/journal-read.ts");
    const { isWidening } = await import("../../policy/compare/diff.ts");
    const replay = new Replay(inForce.policy, candidate);
    const sinceMs = Date.now() - (flags.durationMs("since") ?? WEEK_MS);
    for await (const row of rowsFromEnd(paths.audit, { sinceMs })) replay.add(row);
    const report = replay.report();
    const isWider = report.changes.some(isWidening);
    if (flags.has("json")) {
      const { byRow, ...rest } = report;
      output.json({ ...rest, by_row: byRow, wider: isWider });
      return isWider ? WIDER : 0;
    }
    for (const change of report.changes) output.line(escapeForTerminal(describe(change)));
    output.line(
      `${report.decided} requests decided again, ${report.changes.reduce((sum, { count }) => sum + count, 0)} differ`,
    );
    if (report.reclassified > 0)
      output.line(`${report.reclassified} are taken for another operation than when they were sent`);
    if (report.byRow > 0)
      output.line(`${report.byRow} by what the row says, because the body is not in the log`);
    if (report.skipped > 0) output.line(`${report.skipped} could not be decided again`);
    return isWider ? WIDER : 0;
  },
};

function describe({ protocol, command, from, to, count, labels, examples }: ReplayChange): string {
  const where = Object.entries(labels).map(([label, name]) => `${label} ${name}`);
  const place = where.length === 0 ? "" : ` in ${where.join(", ")}`;
  const example = examples[0] === undefined ? "" : ` (for example request ${examples[0]})`;
  return `${HEADS[`${from} ${to}`] ?? `${from} becomes ${to}`}: ${count} × ${protocol} ${command}${place}${example}`;
}
