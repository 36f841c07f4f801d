// `iddio policy suggest`: rules that would have allowed what people allowed, or what ran in observe
// mode. Reads files only, so it needs no daemon; `--apply` has the daemon write the policy, which
// asks for presence as any wider one does.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import { UserError } from "../../model/user-error.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { readPolicyFile } from "./policy-file.ts";
import { loadCatalogue } from "./read-policy.ts";

const WEEK_MS = 7 * 24 * 60 * 60 * 1000;
/** Rotated copies of a log that are read, too. */
const ROTATED = 100;

/** Prints the rules with their evidence, and the diff of policy.yaml. */
export const policySuggestCommand: Command = {
  name: "policy suggest",
  summary: "Suggest rules for requests that people keep allowing",
  flags: [
    {
      name: "from",
      value: "log",
      choices: ["audit", "observe"],
      summary: "Requests that people allowed (audit, the default), or that ran in observe mode",
    },
    {
      name: "since",
      value: "duration",
      kind: "duration",
      summary: "Only rows newer than this, e.g. 24h (default 7 days)",
    },
    { name: "apply", summary: "Write the suggestions into policy.yaml" },
    JSON_FLAG,
  ],
  details: [
    "A rule is for one command in the scopes in which it was seen; three names with a generated",
    "suffix become a pattern. What was denied, seen once, sensitive or break-glass is not learnt.",
    "The result is proven to let through nothing else.",
  ],
  examples: ["iddio policy suggest --since 30d", "iddio policy suggest --from observe --apply"],
  async run({ flags, output, paths, daemon }) {
    const file = await readPolicyFile(paths);
    if (file.policy === undefined) throw new UserError(file.problem, { hint: "see: iddio policy validate" });
    const { Observations } = await import("../../policy/suggest/observations.ts");
    const { suggest } = await import("../../policy/suggest/suggest.ts");
    const { rowsFromEnd } = await import("../../state/journal/read.ts");
    const { dayOf, ruleJson, suggestionDiff, suggestionLines } = await import("./suggest-report.ts");
    const observations = new Observations(file.policy);
    const path = flags.text("from") === "observe" ? paths.observe : paths.audit;
    const sinceMs = Date.now() - (flags.durationMs("since") ?? WEEK_MS);
    for await (const row of rowsFromEnd(path, { sinceMs, rotated: ROTATED })) observations.add(row);
    const suggestion = suggest(file.policy, observations.all, await loadCatalogue(), dayOf);
    const diff = suggestionDiff(file.policy.text, suggestion);
    if (flags.has("json"))
      output.json({ rows: observations.rows, rules: suggestion.rules.map(ruleJson), diff: diff.join("\n") });
    else {
      for (const line of [...suggestionLines(suggestion), ...(diff.length === 0 ? [] : ["", ...diff])])
        output.line(escapeForTerminal(line));
    }
    if (!flags.has("apply") || diff.length === 0) return 0;
    const { createHash } = await import("node:crypto");
    const { existsSync } = await import("node:fs");
    const base = existsSync(paths.policy) ? createHash("sha256").update(file.policy.text).digest("hex") : "";
    await daemon.call("policy_write", { text: suggestion.text, base_sha256: base });
    if (!flags.has("json")) output.line("policy saved and in force");
    return 0;
  },
};
