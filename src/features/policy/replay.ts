// `iddio policy replay`: what another policy would have decided about the requests of the audit
// log. Reads files only, so it needs no daemon; the rows stay as they are.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import { UserError } from "../../model/user-error.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { BUILD_VERSION } from "../../version.ts";
import { readPolicyFile } from "./policy-file.ts";
import { readPolicy } from "./read-policy.ts";

/** Exit code where the candidate would have let through more. */
const WIDER = 3;
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;
/** Rotated copies of a log that are read, too. */
const ROTATED = 100;

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
    {
      name: "from",
      value: "log",
      choices: ["audit", "observe"],
      summary: "The log to decide again (default audit)",
    },
    JSON_FLAG,
  ],
  details: [
    "Compares with policy.yaml. Grants and people's answers are not compared.",
    "Exit code 0: nothing differs, or the candidate is stricter. 1: the log has no request of that time.",
    "3: it lets through more.",
  ],
  examples: ["iddio policy replay new.yaml --since 24h"],
  async run({ args, flags, output, paths }) {
    const inForce = await readPolicyFile(paths);
    if (inForce.policy === undefined)
      throw new UserError(inForce.problem, { hint: "see: iddio policy validate" });
    const candidate = await readPolicy(args[0] ?? "");
    const { Replay } = await import("../../policy/replay/replay.ts");
    const { rowsFromEnd } = await import("../../state/journal/read.ts");
    const { isEmptyReplay, NOTHING_TO_REPLAY, replayIsWider, replayLines } = await import(
      "./replay-report.ts"
    );
    const replay = new Replay(inForce.policy, candidate, BUILD_VERSION);
    const sinceMs = Date.now() - (flags.durationMs("since") ?? WEEK_MS);
    const path = flags.text("from") === "observe" ? paths.observe : paths.audit;
    for await (const row of rowsFromEnd(path, { sinceMs, rotated: ROTATED })) replay.add(row);
    const report = replay.report();
    if (isEmptyReplay(report) && !flags.has("json"))
      throw new UserError(NOTHING_TO_REPLAY, {
        hint: `look further back with --since 30d, or at what observe mode saw with --from observe; the log is ${escapeForTerminal(path)}`,
      });
    const isWider = replayIsWider(report);
    if (flags.has("json")) {
      const { newlyInspected, ...rest } = report;
      output.json({ ...rest, newly_inspected: newlyInspected, wider: isWider });
    } else for (const line of replayLines(report)) output.line(escapeForTerminal(line));
    if (isEmptyReplay(report)) return 1;
    return isWider ? WIDER : 0;
  },
};
