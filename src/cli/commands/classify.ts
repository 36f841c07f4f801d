// `iddio classify …`: the protocol, tier and labels of a request or a command line. Works without a
// daemon; `batch` never asks one.

import type { ClassifyReport } from "../../api/reports.ts";
import { readPolicyFile } from "../../features/policy/policy-file.ts";
import { UserError } from "../../model/user-error.ts";
import { classificationPairs } from "../kit/classification-pairs.ts";
import { type Command, type CommandContext, JSON_FLAG } from "../kit/command.ts";
import { isDown } from "../kit/is-down.ts";

const MAX_DATA_BYTES = 16 * 1024 * 1024;

/** Classifies a typed request by the protocol that the policy routes its host to. */
export const classifyHttpCommand: Command = {
  name: "classify http",
  summary: "Classify an HTTP request",
  args: [{ name: "method", completes: "method" }, { name: "url" }],
  flags: [
    { name: "header", value: "name: value", isRepeatable: true, summary: "A header of the request" },
    { name: "data", value: "text", summary: "The body of the request; @file reads it from a file" },
    JSON_FLAG,
  ],
  examples: ["iddio classify http GET https://my-cluster.eks.amazonaws.com/api/v1/pods"],
  async run({ args, flags, output, daemon, paths }) {
    const { typedMethod, typedUrl } = await import("../kit/typed-request.ts");
    const method = typedMethod("classify http", args[0] ?? "", args.slice(1));
    const url = typedUrl(args[1] ?? "");
    const data = flags.text("data");
    const input = {
      method,
      url,
      headers: parseHeaders(flags.texts("header")),
      ...(data === undefined ? {} : { body_b64: await readData(data) }),
    };
    const report = await daemon.call("classify", input).catch(async (error: unknown) => {
      if (!isDown(error)) throw error;
      const { explainClassify } = await import("../../api/explain.ts");
      const { decodeContent } = await import("../../gateway/message/content-coding.ts");
      const file = await readPolicyFile(paths);
      if (file.policy === undefined) output.note(`${file.problem}; going by the host's name`);
      return explainClassify(file.policy, input, decodeContent);
    });
    print({ flags, output }, report);
  },
};

/** Classifies a command line, which is taken word for word. */
export const classifyCliCommand: Command = {
  name: "classify cli",
  summary: "Classify a command line",
  args: [{ name: "argv", isRest: true }],
  flags: [JSON_FLAG],
  isRaw: true,
  examples: ["iddio classify cli kubectl delete pod my-pod -n production"],
  async run({ args, flags, output }) {
    const { classifyRow } = await import("../../protocols/batch.ts");
    if (args.length > 1 && args.at(-1) === "--json" && !flags.has("json"))
      output.note(
        `'--json' was read as ${args[0]}'s; iddio's comes before: iddio classify cli --json ${args[0]} …`,
      );
    const { id: _, ...report } = classifyRow({ argv: args }, () => undefined);
    const { policyNamesOf } = await import("../../policy/lint/command-line.ts");
    const { classifierForProgram } = await import("../../protocols/registry.ts");
    const { aliases = [] } = classifierForProgram(args[0] ?? "")?.classifyArgv(args) ?? {};
    const { requests, also } = policyNamesOf(args, { ...report, aliases });
    const names = {
      ...(also === undefined ? {} : { also }),
      ...(requests.length === 0 ? {} : { requests: [...requests] }),
    };
    if (flags.has("json")) return void output.json({ ...report, ...names });
    const pairs = classificationPairs(report, "reason");
    const at = pairs.findIndex(([name]) => name === "command") + 1;
    output.pairs([
      ...pairs.slice(0, at),
      ["also", also],
      ["requests", requests.length === 0 ? undefined : requests.join(", ")],
      ...pairs.slice(at),
    ]);
  },
};

/**
 * Reads one JSON object from each line and writes one for it, in order; a row that cannot be read is
 * `unknown`, never an error.
 */
export const classifyBatchCommand: Command = {
  name: "classify batch",
  summary: "Classify JSON lines from stdin",
  details: [
    "Each line: {id, protocol?, method, url, headers, body | body_b64} or {id, argv}.",
    "Each answer: {id, protocol, tier, command, labels, reason}, in the same order.",
  ],
  async run({ output }) {
    const { classifyLines } = await import("../classify-lines.ts");
    await classifyLines(Bun.stdin.stream(), (text) => output.write(text));
  },
};

function print({ flags, output }: Pick<CommandContext, "flags" | "output">, report: ClassifyReport): void {
  if (flags.has("json")) output.json(report);
  else output.pairs(classificationPairs(report, "reason"));
}

function parseHeaders(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) {
      throw new UserError(`'${line}' is not a header`, { hint: "type: --header 'Name: value'", exitCode: 2 });
    }
    headers[line.slice(0, colon).trim()] = line.slice(colon + 1).trim();
  }
  return headers;
}

async function readData(data: string): Promise<string> {
  if (!data.startsWith("@")) return Buffer.from(data).toString("base64");
  const { readNamedFile } = await import("../../state/named-file.ts");
  const bytes = await readNamedFile(data.slice(1), {
    what: "",
    maxBytes: MAX_DATA_BYTES,
    hint: "type: --data @file",
  });
  return bytes.toString("base64");
}
