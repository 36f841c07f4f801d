// `iddio policy explain`: every rule that was looked at for a request or a command line, and the
// rule that would have allowed it. Works on files alone.

import { classificationPairs } from "../../cli/kit/classification-pairs.ts";
import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import type { Classification } from "../../model/classification.ts";
import { UserError } from "../../model/user-error.ts";
import type { Policy } from "../../policy/policy.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { readPolicyFile } from "./policy-file.ts";
import { POLICY_FLAG, readPolicy } from "./read-policy.ts";

/** Explains by the file on disk; needs no daemon. */
export const policyExplainCommand: Command = {
  name: "policy explain",
  summary: "Show the rules tried for a request, and the one to allow it",
  args: [{ name: "what", isRest: true }],
  flags: [POLICY_FLAG, JSON_FLAG],
  details: ["Takes a method with a URL or with a host and a path, or a command line."],
  examples: [
    "iddio policy explain GET https://x.eks.amazonaws.com/api/v1/pods",
    "iddio policy explain kubectl delete pod api -n dev",
  ],
  isRaw: true,
  async run({ args, flags, output, paths }) {
    const path = flags.text("policy");
    const file =
      path === undefined ? await readPolicyFile(paths) : { policy: await readPolicy(path), source: path };
    if (file.policy === undefined) throw new UserError(file.problem, { hint: "see: iddio policy validate" });
    const classification = await classificationOf(file.policy, args);
    const { explain } = await import("../../policy/explain/explain.ts");
    const { describeWay } = await import("../../policy/explain/way-to-allow.ts");
    const { verdict, steps, toAllow } = explain(file.policy, classification);
    const way = describeWay(toAllow);
    if (flags.has("json"))
      return void output.json({
        decision: verdict.action,
        rule: verdict.rule,
        line: verdict.line,
        reason: verdict.reason,
        classification,
        steps: steps.map(({ isWinner, ...step }) => ({ ...step, wins: isWinner })),
        ...(way === undefined ? {} : { to_allow: way }),
      });
    output.pairs([["decision", verdict.action], ...classificationPairs(classification, "because")]);
    output.line("");
    for (const { path: rule, line, why, isWinner, result } of steps) {
      const sign = isWinner ? "→" : result === "applies" ? "·" : " ";
      output.line(
        `${sign} line ${String(line).padEnd(4)} ${escapeForTerminal(rule)}: ${escapeForTerminal(why)}`,
      );
    }
    output.line("");
    output.line(escapeForTerminal(verdict.reason));
    if (way !== undefined) output.line(escapeForTerminal(way));
  },
};

async function classificationOf(policy: Policy, args: readonly string[]): Promise<Classification> {
  const words = args[0] === "--" ? args.slice(1) : args;
  const [first = "", second = "", third] = words;
  const isMethod = /^[A-Z]+$/.test(first);
  const option = isMethod ? words.find((word) => word.startsWith("-")) : undefined;
  if (option !== undefined)
    throw new UserError(`'${option}' stands behind the request`, {
      hint: `options of iddio come first: iddio policy explain ${option} … ${first} ${second}`,
      exitCode: 2,
    });
  const isRequest = isMethod && words.length <= 3;
  const { CLASSIFIERS, classifierForProgram } = await import("../../protocols/registry.ts");
  if (!isRequest) {
    const classifier = classifierForProgram(first);
    if (classifier === undefined && first === "git")
      throw new UserError("command lines of git name no host, so the requests that git sends are judged", {
        hint: "type: POST https://github.com/owner/repo.git/git-receive-pack for a push, GET …/info/refs?service=git-upload-pack for a fetch",
        exitCode: 2,
      });
    if (classifier === undefined)
      throw new UserError(`'${first}' is neither an HTTP method nor a program that iddio knows`, {
        hint: `type: GET https://host/path, or a command line that begins with one of: ${CLASSIFIERS.flatMap(({ programs }) => programs).join(", ")}`,
        exitCode: 2,
      });
    return classifier.classifyArgv(words);
  }
  const { splitUrl } = await import("../../protocols/batch.ts");
  const url =
    third === undefined ? second : `https://${second}${third.startsWith("/") ? third : `/${third}`}`;
  const split = splitUrl(/^https?:\/\//i.test(url) ? url : `https://${url}`);
  if ("problem" in split)
    throw new UserError(split.problem, { hint: "type: GET https://host/path", exitCode: 2 });
  const { routeOf } = await import("../../policy/decide/route.ts");
  const route = routeOf(policy, split);
  if (route === undefined)
    throw new UserError(`no inspect entry covers '${split.host}': its connections pass through unread`, {
      hint: `have it looked into: iddio inspect add <protocol> ${split.host}`,
    });
  const { judge } = await import("../../policy/decide/judge.ts");
  return judge(policy, [route.protocol], { ...split, method: first, headers: [], body: { kind: "none" } })
    .classification;
}
