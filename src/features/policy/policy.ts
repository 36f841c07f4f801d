// `iddio policy …`: the active policy, and candidates for it. `show` prints the enforced policy,
// which may be older than the file; `validate` reads a file and needs no daemon.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import type { Output } from "../../cli/kit/output.ts";
import type { PolicyProblem } from "../../policy/parse/parse.ts";
import { escapeForTerminal, escapeLinesForTerminal } from "../../text/escape.ts";
import { countText, problemLines } from "./problems.ts";
import { POLICY_FLAG, readTextFile } from "./read-policy.ts";

/** Prints the policy that is enforced, byte for byte into a pipe. */
export const policyShowCommand: Command = {
  name: "policy show",
  summary: "Print the active policy.yaml",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const policy = await daemon.call("policy_show", {});
    if (flags.has("json")) return void output.json(policy);
    output.write(output.isTerminal ? escapeLinesForTerminal(policy.text) : policy.text);
    if (policy.reload_problem !== undefined) {
      output.note(
        `policy.yaml has changed and failed to load, this is the last good one: ${escapeForTerminal(policy.reload_problem)}`,
      );
    }
  },
};

/** Checks a file without a daemon; prints every problem as `file:line:column: …` and exits 1 if there is an error. */
export const policyValidateCommand: Command = {
  name: "policy validate",
  summary: "Check a policy file without using it",
  flags: [POLICY_FLAG, JSON_FLAG],
  examples: ["iddio policy validate --policy ~/.iddio/policy.yaml"],
  async run({ flags, output, paths }) {
    const path = flags.text("policy") ?? paths.policy;
    const text = await readTextFile(path, "policy");
    const { parsePolicy } = await import("../../policy/parse/parse.ts");
    const parsed = parsePolicy(text);
    const { commandProblems } = await import("../../policy/lint/known-commands.ts");
    const problems =
      "problems" in parsed ? parsed.problems : [...parsed.warnings, ...commandProblems(parsed.policy)];
    const errors = problems.filter(({ severity }) => severity === "error").length;
    if (flags.has("json")) output.json({ valid: errors === 0, problems });
    else printProblems(output, path, problems, errors);
    return errors === 0 ? 0 : 1;
  },
};

/** Makes the daemon read policy.yaml now. */
export const policyReloadCommand: Command = {
  name: "policy reload",
  summary: "Read policy.yaml again now",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const report = await daemon.call("policy_reload", {});
    if (flags.has("json")) return void output.json(report);
    output.line(report.changed ? "policy reloaded" : "policy unchanged");
    for (const warning of report.warnings) output.note(`warning: ${escapeForTerminal(warning)}`);
  },
};

/** Prints the JSON Schema of policy.yaml, for editors; the same is in policy.schema.json beside it. */
export const policySchemaCommand: Command = {
  name: "policy schema",
  summary: "Print the JSON Schema of policy.yaml",
  details: ["The daemon writes it beside policy.yaml too, where editors find it by themselves."],
  examples: ["iddio policy schema > policy.schema.json"],
  async run({ output }) {
    const { policySchemaText } = await import("../../state/policy-schema-file.ts");
    output.write(policySchemaText());
  },
};

function printProblems(
  output: Output,
  path: string,
  problems: readonly PolicyProblem[],
  errors: number,
): void {
  for (const line of problemLines(path, problems)) output.line(line);
  if (errors > 0) output.line(`${countText(errors, "error")}, not valid`);
  else output.line(problems.length === 0 ? "valid" : `valid, ${countText(problems.length, "warning")}`);
}
