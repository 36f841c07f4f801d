// Lines that hide a change from whoever reads them, and lines that agents type all day: the first
// are judged as if the change were typed, or asked about, and the second get no answer at all.

import { expect, test } from "bun:test";
import { judgeScript } from "../../../src/policy/decide/judge-script.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import { isPlainlyHarmless } from "../../../src/protocols/shell/plainly-harmless.ts";

const POLICY = `kubectl:
  inspect: []
  default: escalate
  groups:
    read: { tiers: [observe] }
    change: { tiers: [modify, sensitive, break-glass] }
  rules:
    allow: { groups: [read] }
    deny: { groups: [change] }
github:
  inspect: []
  default: escalate
  groups: { all: { tiers: [observe, modify, sensitive, break-glass] } }
  rules: { allow: { groups: [all] } }
`;
const parsed = parsePolicy(POLICY);
if (!("policy" in parsed)) throw new Error("the policy does not load");
const { policy } = parsed;

const WORDS = { allow: "none", escalate: "ask", deny: "deny" } as const;

/** The hook's answer: the quick one, and otherwise the whole reader's. */
function answerTo(line: string): string {
  if (isPlainlyHarmless(line)) return "none";
  const judged = judgeScript(policy, line);
  return judged === undefined ? "none" : WORDS[judged.verdict.action];
}

async function linesOf(file: string): Promise<readonly string[]> {
  const text = await Bun.file(new URL(file, import.meta.url)).text();
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

const unfolded = (line: string) => line.replaceAll("\\n", "\n").replaceAll("⇥", "\t");

test("a change that a line hides is denied as if it were typed, or asked about", async () => {
  const wrong: string[] = [];
  const lines = await linesOf("hidden-lines.txt");
  for (const each of lines) {
    const [expected = "", line = ""] = each.split("\t");
    const found = answerTo(unfolded(line));
    if (found !== expected) wrong.push(`${found} instead of ${expected}: ${line}`);
  }
  expect(wrong).toEqual([]);
  expect(lines.length).toBeGreaterThan(250);
});

test("a line of every day gets no answer", async () => {
  const wrong: string[] = [];
  const lines = await linesOf("everyday-lines.txt");
  for (const line of lines) {
    const judged = judgeScript(policy, unfolded(line));
    if (judged !== undefined && judged.verdict.action !== "allow")
      wrong.push(`${line}\n    ${judged.verdict.action}: ${judged.classification.reason}`);
  }
  expect(wrong).toEqual([]);
  expect(lines.length).toBeGreaterThan(200);
});
