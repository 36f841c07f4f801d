// Where the reader says that it is sure of a word, bash gives the program exactly that word. Lines
// of quotes, escapes, globs, braces and expansions are made up, and bash is asked in an empty
// folder; nothing but printf is ever started.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell, not JavaScript

import { expect, test } from "bun:test";
import fc from "fast-check";
import { readScript } from "../../../src/protocols/shell/read-script.ts";
import { anyText } from "../../support/any-text.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const BASH = Bun.which("bash");
const RUNS = 2_000;

const letter = fc.constantFrom(..."abz019-_=.,:/@%+".split(""));
const bare = fc.array(letter, { minLength: 1, maxLength: 4 }).map((all) => all.join(""));
const odd = fc.constantFrom(
  ..."~ ! # ^ * ? [ ] { } [a] {a,b} {1..3} {} {a} ~/x \\* \\\\ \\' \\\" \\$ \\n \\\n ~root x~ a=~ !x #x".split(
    " ",
  ),
);
const single = fc.string({ maxLength: 5 }).map((text) => `'${text.replace(/['\0]/g, "")}'`);
const double = fc.array(fc.constantFrom(..."ab\\\"\\$\\`\\n! *{}~'#\n".split("")), { maxLength: 5 }).map(
  (all) =>
    `"${all
      .join("")
      .replace(/(?<!\\)"/g, "")
      .replace(/\\$/, "")}"`,
);
const ansi = fc
  .array(
    fc.constantFrom("a", "\\n", "\\t", "\\x41", "\\u00e9", "\\101", "\\'", "\\\\", "\\e", "\\q", "\\cA"),
    { maxLength: 4 },
  )
  .map((all) => `$'${all.join("")}'`);
const expansion = fc.constantFrom(
  "$X",
  "${X}",
  "$(printf x)",
  "`printf x`",
  "$((1+1))",
  "${X:-y}",
  '"$X"',
  '"$(printf y)"',
  '$"a"',
);
const word = fc
  .array(fc.oneof({ weight: 4, arbitrary: bare }, odd, single, double, ansi, expansion), {
    minLength: 1,
    maxLength: 4,
  })
  .map((pieces) => pieces.join(""));
const line = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(" "));

test("a word that the reader is sure of is the word that bash gives the program", async () => {
  if (BASH === null) return expect(process.env.IDDIO_REQUIRE_CLIENTS).toBeUndefined();
  await using empty = await temporaryDirectory();
  let compared = 0;
  const lines = fc.sample(line, { numRuns: RUNS, seed: 20_261_129 });
  // One bash for all lines; what is no valid line makes its `eval` fail and prints its own mark.
  const script = lines
    .map(
      (text) => `eval ${quoted(`printf '%s\\0' ${text}`)} 2>/dev/null || printf 'FAILED'; printf '\\0\\1\\0'`,
    )
    .join("\n");
  const bash = Bun.spawn([BASH, "--norc", "--noprofile", "-s"], {
    stdin: new TextEncoder().encode(script),
    stdout: "pipe",
    stderr: "ignore",
    cwd: empty.path,
    env: { PATH: "/usr/bin:/bin", HOME: "/home/x", X: "p q", LC_ALL: "C.UTF-8" },
  });
  const answers = (await new Response(bash.stdout).text()).split("\0\x01\0");
  const wrong: string[] = [];
  lines.forEach((text, index) => {
    const { commands, problem } = readScript(`printf '%s\\0' ${text}`);
    const [command] = commands;
    if (problem !== undefined || commands.length !== 1 || command === undefined) return;
    const args = command.words.slice(2);
    if (!args.every(({ isSure }) => isSure)) return;
    compared += 1;
    const expected = args.map((each) => each.text).join("\0");
    const found = (answers[index] ?? "").replace(/\0$/, "");
    if (found !== expected)
      wrong.push(`${JSON.stringify(text)}: bash ${JSON.stringify(found)}, read ${JSON.stringify(expected)}`);
  });
  expect(wrong).toEqual([]);
  expect(compared).toBeGreaterThan(RUNS / 20);
}, 120_000);

test("no text makes the reader throw", () => {
  fc.assert(
    fc.property(fc.oneof(line, fc.string({ maxLength: 60 }), anyText({ maxLength: 60 })), (text) => {
      const { commands } = readScript(text);
      expect(Array.isArray(commands)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
