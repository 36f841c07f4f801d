// `iddio policy lint`: the oddities of a policy that loads. Works on the file; the audit log, where
// there is one, says which rules decided nothing in 30 days. Exit code 1 when there is a finding.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import type { RuleHits } from "../../policy/lint/lint.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { loadCatalogue, readPolicy } from "./read-policy.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Lists rules that never decide, entries that nothing reaches, allows over denies, and commands that match nothing. */
export const policyLintCommand: Command = {
  name: "policy lint",
  summary: "Find rules that do nothing, or more than they seem to",
  flags: [
    { name: "path", value: "file", completes: "file", summary: "The policy; policy.yaml unless given" },
    { name: "hits", summary: "Also list rules that decided nothing in the last 30 days of the audit log" },
    JSON_FLAG,
  ],
  details: ["Exit code 0: nothing found. 1: something to look at."],
  examples: ["iddio policy lint --path policy.yaml"],
  async run({ flags, output, paths }) {
    const path = flags.text("path") ?? paths.policy;
    const policy = await readPolicy(path);
    const { lintPolicy } = await import("../../policy/lint/lint.ts");
    const hits = flags.has("hits") ? await hitsOf(paths.audit) : undefined;
    const findings = lintPolicy(policy, await loadCatalogue(), hits);
    if (flags.has("json")) output.json({ findings });
    else {
      for (const { line, message, hint } of findings) {
        output.line(`${path}:${line}: ${escapeForTerminal(message)}`);
        if (hint !== undefined) output.line(`  ${escapeForTerminal(hint)}`);
      }
      output.line(findings.length === 0 ? "nothing found" : `${findings.length} found`);
    }
    return findings.length === 0 ? 0 : 1;
  },
};

/** How many rows of the last 30 days each rule decided. */
async function hitsOf(path: string): Promise<RuleHits> {
  const { rowsFromEnd } = await import("../../state/journal/read.ts");
  const { countHit, HIT_DAYS } = await import("../../policy/lint/lint.ts");
  const hits = new Map<string, number>();
  for await (const row of rowsFromEnd(path, { sinceMs: Date.now() - HIT_DAYS * DAY_MS, rotated: 100 }))
    countHit(hits, row);
  return hits;
}
