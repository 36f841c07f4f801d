// The entries of the control API's table that are about policy.yaml: showing and replacing the
// policy, and the tools that compare, look and learn. The tools only read: they take a text, or a
// log of the state directory, and keep nothing.

import { ACTIONS } from "../../model/action.ts";
import { PROTOCOLS } from "../../model/protocol.ts";
import { method } from "../method.ts";
import { classifyReport, policyReloadReport, policyReport } from "../reports.ts";
import { flag, list, map, number, object, optional, text, words } from "../schema.ts";

/** Refusals of a text that is no policy. */
export const NO_LOAD = { "does-not-load": "the text is not a valid file; the policy in force stays" };

const LOGS = ["audit", "observe"] as const;
const log = optional(words(LOGS));
const since = optional(number("only rows newer than so many milliseconds; 7 days unless given"));
const candidate = text("of the policy to compare with the one in force");
const lines = list(text("a sentence for a person"));

const problem = object({
  message: text(),
  hint: optional(text()),
  line: number(),
  column: number(),
  severity: words(["error", "warning"]),
});

const finding = object({
  kind: words([
    "never-matches",
    "shadowed",
    "unreachable",
    "wider-than-deny",
    "only-hooks",
    "takes-along",
    "no-hits",
  ]),
  path: text(),
  line: number(),
  message: text(),
  hint: optional(text()),
});

const change = object({
  protocol: words(PROTOCOLS),
  from: words(ACTIONS),
  to: words(ACTIONS),
  operations: list(text("a known operation")),
  others: list(text("a clause about operations that no catalogue has")),
  scopes: list(object({ label: text(), cells: list(text("a clause")) })),
});

const replayed = object({
  protocol: words(PROTOCOLS),
  command: text(),
  from: words([...ACTIONS, "splice"]),
  to: words([...ACTIONS, "splice"]),
  count: number(),
  examples: list(text("id of a request")),
  labels: map(text()),
});

const operation = object({ command: text(), tier: text() });

const suggestedRule = object({
  protocol: words(PROTOCOLS),
  command: text(),
  tier: text(),
  scope: optional(object({ label: text(), name: text("or pattern"), seen: list(text()) })),
  count: number(),
  denied: number("how often a person, or the policy, denied the same"),
  first_ms: number(),
  last_ms: number(),
  hosts: list(text()),
  examples: list(text("id of a request")),
  not_learnt: optional(text("why the rule is not in the suggested text")),
});

/** The methods about the policy. */
export const POLICY_METHODS = {
  policy_show: method("read", "GET", "/v1/policy", { about: "the policy in force", output: policyReport }),
  policy_reload: method("change", "POST", "/v1/policy/reload", {
    about: "loads policy.yaml from disk",
    output: policyReloadReport,
    errors: NO_LOAD,
  }),
  policy_write: method("change", "POST", "/v1/policy/write", {
    about: "replaces policy.yaml",
    input: object({
      text: text(),
      base_sha256: optional(
        text(
          'of the file that was edited, "" when there was none; if it is another by now, nothing is written',
        ),
      ),
    }),
    output: policyReloadReport,
    narrows: {
      because: "when every rule of the new text is proven to be at least as strict",
      proof: (before, after) => before.isNarrowerPolicy(after.text),
    },
    errors: { ...NO_LOAD, "changed-meanwhile": "the file on disk is not the one that was edited" },
  }),
  policy_lint: method("read", "POST", "/v1/policy/lint", {
    about: "the problems of a policy, and the oddities of one that loads",
    input: object({
      text: optional(text("of a policy; the one in force unless given")),
      only_problems: optional(flag("whether it loads and nothing else, as an editor asks at every key")),
      hits: optional(flag("also rules that decided nothing in the last 30 days of the audit log")),
    }),
    output: object({
      problems: list(problem, "a text with an error does not load, and has no findings"),
      findings: list(finding),
    }),
  }),
  policy_diff: method("read", "POST", "/v1/policy/diff", {
    about: "every decision that a text makes differently from the policy in force",
    input: object({ text: candidate }),
    output: object({
      wider: flag("it lets through more, or nobody can tell"),
      lines,
      changes: list(change),
      routes: list(
        object({
          entry: text(),
          from: text(),
          to: text(),
          effect: text(),
          ports: optional(text("in words; absent for all that the entry is about")),
        }),
      ),
      unknown: list(text("a clause that says what could not be compared")),
    }),
    errors: NO_LOAD,
  }),
  policy_explain: method("read", "POST", "/v1/policy/explain", {
    about: "the rules that are tried for a request, and the rule that would allow it",
    input: object({ method: text(), host: text(), path: text() }),
    output: object({
      decision: words([...ACTIONS, "splice"]),
      reason: text(),
      rule: optional(text()),
      line: optional(number()),
      classification: optional(classifyReport),
      steps: list(
        object({
          path: text(),
          line: number(),
          result: words(["applies", "passed-over"]),
          why: text(),
          wins: flag(),
        }),
      ),
      to_allow: optional(text("the narrowest rule that would allow it, or why none does")),
    }),
  }),
  policy_replay: method("read", "POST", "/v1/policy/replay", {
    about: "the decisions that a text would have made about the requests of a log",
    input: object({
      text: candidate,
      from: log,
      since_ms: since,
      rows: optional(number("at most so many of the latest rows are read; all without it")),
    }),
    output: object({
      wider: flag(),
      is_cut: flag("not all rows of the period were read"),
      lines,
      decided: number(),
      exact: number("requests whose rows have every fact of the decision"),
      answered: number("requests that a person or a grant answered"),
      skipped: number("requests that could not be decided again"),
      newly_inspected: number("connections that passed unread and would be looked into"),
      changes: list(replayed),
      reclassified: list(
        object({
          protocol: words(PROTOCOLS),
          was: operation,
          is: operation,
          from: words(ACTIONS),
          to: words(ACTIONS),
          count: number(),
        }),
      ),
    }),
    errors: NO_LOAD,
  }),
  policy_suggest: method("read", "POST", "/v1/policy/suggest", {
    about: "rules that would have allowed the requests that people allowed, or that ran in observe mode",
    input: object({ from: log, since_ms: since }),
    output: object({
      rows: number("rows about judged requests"),
      rules: list(suggestedRule),
      lines,
      diff: list(text("a line of the file's diff")),
      text: text("of the policy with the learnt rules, for policy_write"),
      base_sha256: text("for policy_write"),
    }),
  }),
} as const;
