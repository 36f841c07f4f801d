// `iddio policy lint`: the oddities of a policy that loads. Works on the file; the audit log,
// where there is one, says which rules decided nothing in 30 days. Exit code 1 when there is
// something to correct.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import type { RuleHits } from "../../policy/lint/lint.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { countText } from "./problems.ts";
import { loadCatalogue, POLICY_FLAG, readPolicy } from "./read-policy.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Lists rules that never decide, entries that nothing reaches, allows over denies, and commands that match nothing. */
export const policyLintCommand: Command = {
  name: "policy lint",
  summary: "Find rules that do nothing, or more than they seem to",
  flags: [
    POLICY_FLAG,
    { name: "hits", summary: "Also list rules that decided nothing in the last 30 days of the audit log" },
    JSON_FLAG,
  ],
  details: [
    "Exit code 0: nothing to correct; there may be remarks about what could be meant as it is.",
    "1: a rule or an entry that does nothing.",
  ],
  examples: ["iddio policy lint --policy policy.yaml"],
  async run({ flags, output, paths }) {
    const path = flags.text("policy") ?? paths.policy;
    const policy = await readPolicy(path);
    const { isRemark, lintPolicy } = await import("../../policy/lint/lint.ts");
    const { HIT_DAYS } = await import("../../policy/lint/lint.ts");
    const counted = flags.has("hits") ? await hitsOf(paths.audit) : undefined;
    // An empty log would make every rule one without a hit.
    const hits = counted?.size === 0 ? undefined : counted;
    if (counted !== undefined && hits === undefined)
      output.note(
        `note: the audit log has no decision of the last ${HIT_DAYS} days, so nothing is said about hits: ${escapeForTerminal(paths.audit)}`,
      );
    const findings = lintPolicy(policy, await loadCatalogue(), hits);
    const wrong = findings.filter((finding) => !isRemark(finding)).length;
    if (flags.has("json")) output.json({ findings });
    else {
      for (const { line, message, hint } of findings) {
        output.line(`${path}:${line}: ${escapeForTerminal(message)}`);
        if (hint !== undefined) output.line(`  ${escapeForTerminal(hint)}`);
      }
      output.line(totals(wrong, findings.length - wrong));
    }
    return wrong === 0 ? 0 : 1;
  },
};

function totals(wrong: number, remarks: number): string {
  if (wrong + remarks === 0) return "nothing found";
  const told = remarks === 0 ? [] : [countText(remarks, "remark")];
  return [...(wrong === 0 ? [] : [`${wrong} to correct`]), ...told].join(", ");
}

/** How many rows of the last 30 days each rule decided. */
async function hitsOf(path: string): Promise<RuleHits> {
  const { rowsFromEnd } = await import("../../state/journal/read.ts");
  const { countHit, HIT_DAYS } = await import("../../policy/lint/lint.ts");
  const hits = new Map<string, number>();
  for await (const row of rowsFromEnd(path, { sinceMs: Date.now() - HIT_DAYS * DAY_MS, rotated: 100 }))
    countHit(hits, row);
  return hits;
}
