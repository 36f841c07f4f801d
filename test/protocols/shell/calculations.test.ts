// Where bash would run a command that stands in the text of a variable, the reader says that something
// is calculated with that may be more than a number. Scripts are made up of ways to set a variable and
// ways to calculate with it, and bash is asked: the command writes a mark.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell, not JavaScript

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readScript } from "../../../src/protocols/shell/read-script.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const BASH = Bun.which("bash");
const MARK = "RAN";
/** Text that runs `echo` where bash calculates with it; for files, and with its octets hidden. */
const HOSTILE = `a[$(echo ${MARK} >&2)]`;

/** Ways to give x a text. */
const SETS = [
  `x='${HOSTILE}'`,
  `x='a[$''(echo ${MARK} >&2)]'`,
  `x=$'a[\\44(echo ${MARK} >&2)]'`,
  "x=$(cat hostile)",
  'x="$(cat hostile)"',
  "read -r x < hostile",
  'read -r x <<< "$(cat hostile)"',
  "while read -r x; do break; done < hostile",
  "mapfile -t x < hostile",
  'for x in "$(cat hostile)"; do :; done',
  "y=$(cat hostile); x=y",
  "y=$(cat hostile); x=$y",
  "unset x; : ${x:=$(cat hostile)}",
  'printf -v x %s "$(cat hostile)"',
  'declare "x=$(cat hostile)"',
  'export x="$(cat hostile)"',
  "nproc() { cat hostile; }; x=$(nproc)",
  "x=5; read -r x < hostile",
];
/** Ways to calculate with it. */
const USES = [
  "echo $((x))",
  "echo $((x + 1))",
  'echo "$(( $x ))"',
  "echo $[x]",
  "((x))",
  "[[ x -eq 1 ]]",
  '[[ "$x" -gt 1 ]]',
  "let x",
  'let "z = x"',
  "echo ${z[x]}",
  "z[x]=1",
  "echo ${HOME:x}",
  "for ((i=x;i<1;i++)); do :; done",
  "declare -i z; z=$x",
  "echo ${!x}",
  "[[ -v $x ]]",
  'test -v "$x"',
  'read -r "$x" <<< 1',
  'printf -v "$x" 1',
  'unset "$x"',
  "while ((x)); do break; done",
  "z=$((x)); echo $z",
  "cat <<E\n$((x))\nE",
];
/** Ways in which x holds a number alone. */
const NUMBERS = [
  "x=5",
  "x=",
  'x="7"',
  "x=$((2 + 3))",
  "x=$(nproc)",
  "x=$(ls | wc -l)",
  "x=$(wc -l < hostile)",
  "x=$(date +%s)",
  "x=$(cat hostile | tr -dc 0-9)",
  "x=$(grep -c a hostile)",
  "for x in 1 2; do :; done",
  "for x in {1..3}; do :; done",
  "for x in $(seq 1 3); do :; done",
  "y=5; x=$y",
  "x=1; x=$((x + 1)); ((x++))",
  "x=$RANDOM",
  "x=$#",
  "x=${#HOME}",
];

const isDoubted = (text: string) => {
  const { calculated, problem, variables = [] } = readScript(text);
  return calculated !== undefined || problem !== undefined || variables.includes("?");
};

test("what bash would run out of a variable is doubted", async () => {
  if (BASH === null) return expect(process.env.IDDIO_REQUIRE_CLIENTS).toBeUndefined();
  await using folder = await temporaryDirectory();
  writeFileSync(join(folder.path, "hostile"), `${HOSTILE}\n`);
  let ran = 0;
  for (const set of SETS)
    for (const use of USES) {
      const text = `${set}\n${use}`;
      const { stderr } = Bun.spawnSync([BASH, "-c", text], { cwd: folder.path, stdin: "ignore" });
      const hasRun = stderr.toString().split("\n").includes(MARK);
      if (hasRun) ran += 1;
      expect([text, isDoubted(text)]).toEqual([text, hasRun || isDoubted(text)]);
    }
  expect(ran).toBeGreaterThan(200);
}, 110_000);

test("a calculation with numbers is none that is doubted, and bash runs nothing in it", async () => {
  if (BASH === null) return expect(process.env.IDDIO_REQUIRE_CLIENTS).toBeUndefined();
  await using folder = await temporaryDirectory();
  writeFileSync(join(folder.path, "hostile"), `${HOSTILE}\n`);
  for (const set of NUMBERS)
    for (const use of [
      "echo $((x))",
      "((x > 5)) && echo a",
      "[[ $x -eq 1 ]]",
      "for ((i=0;i<x;i++)); do :; done",
    ]) {
      const text = `${set}\n${use}`;
      expect([text, isDoubted(text)]).toEqual([text, false]);
    }
  const all = NUMBERS.flatMap((set) => [set, "echo $((x))"]).join("\n");
  const { stderr } = Bun.spawnSync([BASH, "-c", all], { cwd: folder.path, stdin: "ignore" });
  expect(stderr.toString()).not.toContain(MARK);
}, 110_000);

test("quotes within an expansion of a here-document quote nothing, so such a document is not read", () => {
  for (const text of [
    "cat <<E\n${x:-'$(reboot)'}\nE",
    "cat <<E\n${x:-'}$(reboot)'}\nE",
    'cat <<E\n${x:="$(reboot)"}\nE',
  ])
    expect([text, readScript(text).problem === undefined]).toEqual([text, false]);
  for (const text of ["cat <<'E'\n${x:-'a'}\nE", "cat <<E\nit's $HOME\nE"])
    expect([text, readScript(text).problem]).toEqual([text, undefined]);
});
