// `iddio policy edit`: the operator's editor on a draft of policy.yaml, which replaces the file
// only once it loads. A draft that does not is kept: the editor opens it again, now or with the
// next `policy edit`.

import type { Command, CommandContext } from "../../cli/kit/command.ts";
import { isDown } from "../../cli/kit/is-down.ts";
import { UserError } from "../../model/user-error.ts";
import type { PolicyProblem } from "../../policy/parse/parse.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import type { PolicyDraft } from "./draft.ts";
import { countText, problemLines } from "./problems.ts";

/** An editor that ends sooner than this has most likely only told a running one to open the file. */
const HURRIED_MS = 500;

/** Opens the draft in VISUAL or EDITOR until it loads or the person gives up. */
export const policyEditCommand: Command = {
  name: "policy edit",
  summary: "Edit policy.yaml; only a policy that loads is saved",
  flags: [{ name: "discard", summary: "Discard the kept draft and start over" }],
  details: [
    "Opens a draft in $VISUAL, else $EDITOR. A draft that does not load is kept and",
    "opened again, also by the next 'iddio policy edit'.",
  ],
  examples: ["iddio policy edit", "EDITOR='code --wait' iddio policy edit"],
  async run(context) {
    const { flags, output, paths, env } = context;
    const { editorOf, edit } = await import("./editor.ts");
    const { discardDraft, openDraft, readDraft } = await import("./draft.ts");
    const editor = editorOf(env);
    if (flags.has("discard")) await discardDraft(paths);
    const draft = await openDraft(paths);
    if (draft.isKept) output.note(`going on with the draft that was kept: ${draft.path}`);
    let line: number | undefined;
    for (;;) {
      const startedMs = performance.now();
      const code = await edit(editor, draft.path, line);
      const text = await readDraft(draft);
      if (code !== 0) throw await editorFailed(context, draft, text, editor, code);
      if (text === draft.base) {
        await discardDraft(paths);
        const isHurried = performance.now() - startedMs < HURRIED_MS && output.isTerminal;
        output.line("policy unchanged");
        if (isHurried)
          output.note("hint: if the editor returned at once, make it wait, e.g. EDITOR='code --wait'");
        return 0;
      }
      const problems = await problemsOf(text, draft.base);
      if (!problems.some(({ severity }) => severity === "error")) {
        for (const warning of problemLines(draft.path, problems)) output.note(warning);
        const review = await reviewOf(text, draft.base);
        for (const line of review) output.note(escapeForTerminal(line));
        await save(context, draft, text);
        await discardDraft(paths);
        return 0;
      }
      for (const problem of problemLines(draft.path, problems)) output.note(problem);
      if (!(await wantsToGoOn(context))) return keep(context, draft, problems);
      line = problems.find(({ severity }) => severity === "error")?.line;
    }
  },
};

async function problemsOf(text: string, base: string): Promise<readonly PolicyProblem[]> {
  const { parsePolicy } = await import("../../policy/parse/parse.ts");
  const { commandProblems, newCommandProblems } = await import("../../policy/lint/known-commands.ts");
  const [parsed, before] = [parsePolicy(text), parsePolicy(base)];
  if ("problems" in parsed) return parsed.problems;
  const commands =
    "policy" in before ? newCommandProblems(parsed.policy, before.policy) : commandProblems(parsed.policy);
  return [...parsed.warnings, ...commands];
}

/** Lines for a person before the draft is saved: the requests that it newly lets through, and odd rules. */
async function reviewOf(text: string, base: string): Promise<readonly string[]> {
  const { parsePolicy } = await import("../../policy/parse/parse.ts");
  const [after, before] = [parsePolicy(text), parsePolicy(base)];
  if (!("policy" in after) || !("policy" in before)) return [];
  const { diffPolicies } = await import("../../policy/compare/diff.ts");
  const { lintPolicy } = await import("../../policy/lint/lint.ts");
  const { diffLines } = await import("../../policy/compare/diff-lines.ts");
  const { loadCatalogue } = await import("./read-policy.ts");
  const catalogue = await loadCatalogue();
  const diff = diffPolicies(before.policy, after.policy, catalogue);
  return [
    ...lintPolicy(after.policy, catalogue).map(({ line, message }) => `line ${line}: ${message}`),
    ...(diff.changes.length + diff.routes.length + diff.unknown.length === 0 ? [] : diffLines(diff)),
  ];
}

/** The daemon replaces the file, so that the change has a row with who made it; without one it is done here. */
async function save(
  { daemon, output, paths }: CommandContext,
  draft: PolicyDraft,
  text: string,
): Promise<void> {
  try {
    await daemon.call("policy_write", { text, base_sha256: draft.baseSha256 });
  } catch (error) {
    if (!isDown(error)) throw error;
    const { writeFileAtomic } = await import("../../state/files.ts");
    await writeFileAtomic(paths.policy, text);
    output.line(`policy saved: ${paths.policy}`);
    output.note("the daemon is not running; it will use it when it starts");
    return;
  }
  output.line("policy saved and in force");
}

/** Asks only where somebody can answer. */
async function wantsToGoOn(context: CommandContext): Promise<boolean> {
  const { isatty } = await import("node:tty");
  return isatty(0) && isatty(2) && ask(context, "edit it again? [Y/n] ");
}

async function ask({ output }: CommandContext, question: string): Promise<boolean> {
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(question);
    return !/^\s*n/i.test(answer);
  } catch {
    output.note("");
    return false; // end of input, or Ctrl-C
  } finally {
    lines.close();
  }
}

function keep({ output }: CommandContext, draft: PolicyDraft, problems: readonly PolicyProblem[]): number {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  output.note(`${countText(errors, "error")}: policy.yaml is as it was, the draft is kept: ${draft.path}`);
  output.note("hint: iddio policy edit goes on with it, iddio policy edit --discard starts over");
  return 1;
}

async function editorFailed(
  { paths }: CommandContext,
  draft: PolicyDraft,
  text: string,
  editor: string,
  code: number,
): Promise<UserError> {
  const { discardDraft } = await import("./draft.ts");
  const isSame = text === draft.base;
  if (isSame) await discardDraft(paths);
  return new UserError(`the editor '${editor}' ended with ${code}, policy.yaml is as it was`, {
    hint: isSame ? "say which editor: EDITOR=nano iddio policy edit" : `the draft is kept: ${draft.path}`,
  });
}
