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
  expect(lines.length).toBeGreaterThan(450);
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
  expect(lines.length).toBeGreaterThan(400);
});

/** Ways to run a line from within another one. */
const WRAPS: readonly ((line: string) => string)[] = [
  (line) => `ls\n${line}\nls`,
  (line) => `bash -c ${quoted(line)}`,
  (line) => `timeout 5 sudo bash -c ${quoted(line)}`,
  (line) => `if true; then\n${line}\nfi`,
  (line) => `f() {\n${line}\n}\nf`,
  (line) => `echo "$(\n${line}\n)"`,
  (line) => `eval ${quoted(line)}`,
  (line) => `ssh h ${quoted(line)}`,
  (line) => `printf %s ${quoted(line)} | bash`,
  (line) => `source <(cat <<'EOT'\n${line}\nEOT\n)`,
  (line) => `cat > s.sh <<'EOT'\n${line}\nEOT\nbash s.sh`,
  (line) => `trap ${quoted(line)} EXIT`,
  (line) => `GIT_PAGER=${quoted(line)} git log`,
];

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

test("what hides in a line that hides in a line is found", async () => {
  const wrong: string[] = [];
  for (const each of await linesOf("hidden-lines.txt")) {
    const [expected = "", line = ""] = each.split("\t");
    for (const wrap of WRAPS) {
      const found = answerTo(wrap(unfolded(line)));
      const isMilder =
        found === "none" || (expected === "deny" && found === "ask" && !wrap(line).startsWith("f()"));
      if (isMilder) wrong.push(`${found} instead of ${expected}: ${wrap(line)}`);
    }
  }
  expect(wrong).toEqual([]);
});

/** Lines that cost a careless reader much: each part of one is read again for every other. */
const HOSTILE: readonly string[] = [
  "ls; ".repeat(3_000),
  "kubectl delete pod x; ".repeat(3_000),
  `frob '${"a/".repeat(60_000)}'`,
  `awk '${"print ".repeat(10_000)}' kubectl`,
  `perl -e '${"open ".repeat(12_000)}kubectl'`,
  `frob '${"kubectl a ".repeat(6_000)}'`,
  `python -c '${"QUJDREVG".repeat(8_000)} system'`,
  `x='${"$(".repeat(3_000)}'`,
  `eval ${'"$(echo '.repeat(100)}x${')"'.repeat(100)}`,
  `echo '${":;".repeat(60_000)}' > f; ${". f; ".repeat(1_500)}`,
  `alias a='b b'; alias b='a a'; ${"a; ".repeat(1_500)}`,
  `echo x ${"| cat ".repeat(1_900)}`,
  `git ${"-c a.b=c ".repeat(8_000)}`,
  `${"echo kubectl delete pod x | tee >(sh); ".repeat(500)}`,
];

test("no line takes long to read, and what is too much is asked about", () => {
  for (const line of HOSTILE) {
    const start = performance.now();
    const action = answerTo(line);
    // Ten times what it takes on a slow machine.
    expect([line.slice(0, 40), performance.now() - start < 20_000]).toEqual([line.slice(0, 40), true]);
    expect(["none", "ask", "deny"]).toContain(action);
  }
  expect(answerTo("ls; ".repeat(3_000))).toBe("ask");
  expect(answerTo(`${"ls; ".repeat(3_000)}kubectl delete pod x`)).toBe("ask");
});
