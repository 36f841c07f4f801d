// `iddio decide`: the policy's verdict on a request, and the line that gives it. Decides nothing
// itself: the daemon does, or without one the same function over the policy file.

import { readPolicyFile } from "../../features/policy/policy-file.ts";
import { UserError } from "../../model/user-error.ts";
import { classificationPairs } from "../kit/classification-pairs.ts";
import { type Command, JSON_FLAG } from "../kit/command.ts";
import { isDown } from "../kit/is-down.ts";

/** Asks the daemon, whose policy is the one in force; without one it reads policy.yaml, or else the default policy. */
export const decideCommand: Command = {
  name: "decide",
  summary: "Show the policy's answer to a request",
  args: [
    { name: "method", completes: "method" },
    { name: "host|url", completes: "host" },
    { name: "path", isOptional: true },
  ],
  flags: [JSON_FLAG],
  examples: [
    "iddio decide DELETE x.eks.amazonaws.com /api/v1/namespaces/dev/pods/api",
    "iddio decide GET https://api.github.com/repos/o/r",
  ],
  async run({ args, flags, output, daemon, paths }) {
    const { typedMethod, typedPlace } = await import("../kit/typed-request.ts");
    const [method = "", typed = "", typedPath] = args;
    const input = { method: typedMethod("decide", method, args.slice(1)), ...typedPlace(typed, typedPath) };
    const report = await daemon.call("decide", input).catch(async (error: unknown) => {
      if (!isDown(error)) throw error;
      const { explainDecide } = await import("../../api/explain.ts");
      const file = await readPolicyFile(paths);
      if (file.policy === undefined)
        throw new UserError(file.problem, { hint: "see: iddio policy validate" });
      output.note(`the daemon is not running, deciding by ${file.source}`);
      return explainDecide(file.policy, input);
    });
    if (flags.has("json")) return void output.json(report);
    const { classification, rule, line } = report;
    const place = line === undefined || line === 0 ? "" : ` (policy.yaml line ${line})`;
    output.pairs([
      ["decision", report.decision],
      ["rule", rule === undefined || rule === "" ? undefined : `${rule}${place}`],
      ["reason", report.reason],
      ...(classification === undefined ? [] : classificationPairs(classification, "because")),
    ]);
  },
};
