// `iddio policy diff` and `iddio policy check`: the requests that a change lets through, and
// whether a policy keeps a promise. Both work on files alone, so that CI can run them on a pull
// request.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import type { Output } from "../../cli/kit/output.ts";
import { PROTOCOLS, type Protocol } from "../../model/protocol.ts";
import { UserError } from "../../model/user-error.ts";
import type { PolicyDiff } from "../../policy/compare/diff.ts";
import type { CounterExample } from "../../policy/compare/never.ts";
import { withArticle } from "../../text/article.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { loadCatalogue, POLICY_FLAG, readPolicy } from "./read-policy.ts";

/** Exit code where a policy lets through more than the other, or breaks a promise. */
const WIDER = 3;

/** Prints every decision that differs. */
export const policyDiffCommand: Command = {
  name: "policy diff",
  summary: "Show every decision that two policies make differently",
  args: [
    { name: "old", completes: "file" },
    { name: "new", completes: "file" },
  ],
  flags: [JSON_FLAG],
  details: ["Exit code 0: nothing differs, or the new policy is stricter. 3: it lets through more."],
  examples: ["iddio policy diff policy.yaml new.yaml"],
  async run({ args, flags, output }) {
    const [before, after] = [await readPolicy(args[0] ?? ""), await readPolicy(args[1] ?? "")];
    const { diffPolicies } = await import("../../policy/compare/diff.ts");
    const diff = diffPolicies(before, after, await loadCatalogue());
    const { newAlongProblems } = await import("../../policy/lint/known-commands.ts");
    const remarks = newAlongProblems(before, after).map(({ line, message }) => `line ${line}: ${message}`);
    if (flags.has("json")) output.json({ ...diff, isWider: undefined, wider: diff.isWider, remarks });
    else await printDiff(output, diff);
    if (!flags.has("json")) for (const remark of remarks) output.note(`note: ${escapeForTerminal(remark)}`);
    return diff.isWider ? WIDER : 0;
  },
};

/** Checks promises about a policy. */
export const policyCheckCommand: Command = {
  name: "policy check",
  summary: "Prove that a policy lets through no more than it should",
  flags: [
    POLICY_FLAG,
    { name: "no-new-access", summary: "It lets through no more than the policy given with --against" },
    { name: "against", value: "file", completes: "file", summary: "The policy to compare with" },
    {
      name: "never",
      value: "command",
      isRepeatable: true,
      summary: "It never allows this command without asking",
    },
    { name: "in", value: "scope", summary: "For --never: only in scopes of this name or glob, or kind=name" },
    {
      name: "protocol",
      value: "protocol",
      choices: PROTOCOLS,
      summary: "For --never: only for this protocol",
    },
    JSON_FLAG,
  ],
  details: ["Exit code 0: it holds. 3: it does not, and a request that breaks it is printed."],
  examples: [
    'iddio policy check --never "secrets get" --in "prod-*"',
    "iddio policy check --no-new-access --against main.yaml",
  ],
  async run({ flags, output, paths }) {
    const policy = await readPolicy(flags.text("policy") ?? paths.policy);
    const [never, against] = [flags.texts("never"), flags.text("against")];
    if (never.length === 0 && !flags.has("no-new-access"))
      throw new UserError("'iddio policy check' needs something to check", {
        hint: 'type: --never "secrets get", or --no-new-access --against <file>',
        exitCode: 2,
      });
    if (flags.has("no-new-access") !== (against !== undefined))
      throw new UserError("--no-new-access and --against belong together", {
        hint: "type: --no-new-access --against main.yaml",
        exitCode: 2,
      });
    const catalogue = await loadCatalogue();
    const report: Record<string, unknown> = {};
    let holds = true;
    if (against !== undefined) {
      const { diffPolicies } = await import("../../policy/compare/diff.ts");
      const diff = diffPolicies(await readPolicy(against), policy, catalogue);
      holds &&= !diff.isWider;
      report.no_new_access = !diff.isWider;
      if (!flags.has("json")) {
        if (diff.isWider) await printDiff(output, diff);
        else output.line(`holds: no more is let through than by '${escapeForTerminal(against)}'`);
      }
    }
    const { checkNever } = await import("../../policy/compare/never.ts");
    for (const command of never) {
      const claim = {
        command,
        scope: flags.text("in"),
        protocol: flags.text("protocol") as Protocol | undefined,
      };
      const { broken, unknown, decided, remarks } = checkNever(policy, claim, catalogue);
      const isKept = broken.length === 0 && unknown.length === 0;
      holds &&= isKept;
      report[command] = { holds: isKept, decided, broken: broken.map(describeExample), unknown, remarks };
      if (flags.has("json")) continue;
      const where = claim.scope === undefined ? "" : ` in '${escapeForTerminal(claim.scope)}'`;
      const what = `'${escapeForTerminal(command)}'${where}`;
      if (isKept) output.line(`holds: ${what} is never allowed without asking (${decided} cases)`);
      for (const remark of remarks) output.note(`note: ${escapeForTerminal(remark)}`);
      for (const clause of unknown) output.line(`cannot tell: ${escapeForTerminal(clause)}`);
      const examples = [...new Set(broken.map(describeExample))];
      for (const example of examples.slice(0, 5)) output.line(`broken: ${escapeForTerminal(example)}`);
      if (examples.length > 5) output.line("  and more");
    }
    if (flags.has("json")) output.json({ holds, ...report });
    return holds ? 0 : WIDER;
  },
};

function describeExample({ classification, verdict, isRaised }: CounterExample): string {
  const { protocol, command, tier, labels, spannedScopes, unnamedScopes } = classification;
  const where = [
    ...Object.entries(labels).map(([label, name]) => `in ${label} ${name}`),
    ...(spannedScopes ?? []).map((label) => `in every ${label} at once`),
    ...(unnamedScopes ?? []).map((label) => `in ${withArticle(label)} that it does not name`),
  ];
  const raised = isRaised ? ", as its body or a header can make it" : "";
  const place = where.length === 0 ? "" : ` ${where.join(" and ")}`;
  return `${protocol} '${command}' (tier ${tier}${raised})${place} is allowed by ${verdict.rule} (line ${verdict.line})`;
}

async function printDiff(output: Output, diff: PolicyDiff): Promise<void> {
  const { diffLines } = await import("../../policy/compare/diff-lines.ts");
  for (const line of diffLines(diff)) output.line(escapeForTerminal(line));
}
