// Loops over words that stand in the text: what is read for their variable is what a shell gives the
// program, and a loop whose variable could become something else is not read.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell, not JavaScript

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readScript } from "../../../src/protocols/shell/read-script.ts";

const SHELLS = ["bash", "dash", "zsh"].flatMap((name) => Bun.which(name) ?? []);

function lines(text: string): string[] {
  const shown = (word: { text: string; isSure: boolean }) => (word.isSure ? word.text : "?");
  return readScript(text).commands.map(({ words }) => words.map(shown).join(" "));
}

describe("a loop is read once for each word", () => {
  for (const [text, expected] of [
    [
      'for h in a b; do systemctl status "$h" x${h}y; done',
      ["systemctl status a xay", "systemctl status b xby"],
    ],
    [
      "for n in x y; do for m in 1 2; do kubectl get $n -n $m; done; done",
      ["kubectl get x -n 1", "kubectl get x -n 2", "kubectl get y -n 1", "kubectl get y -n 2"],
    ],
    [
      "for f in a b; do [ -f /etc/$f ] && cat '$f' < /etc/$f; done",
      ["[ -f /etc/a ]", "cat $f", "[ -f /etc/b ]", "cat $f"],
    ],
    ["set -eu; for f in a\ndo wc -l $f | sort; done; ls $f", ["set -eu", "wc -l a", "sort", "ls ?"]],
    ["for f in a; do echo $(stat $f); done", ["echo ?", "stat a"]],
  ] as const)
    test(text, () => expect(lines(text)).toEqual([...expected]));

  test("what is written and read is known too", () => {
    const { redirects } = readScript("for f in a b; do ls > /tmp/$f; done");
    expect(redirects?.map(({ target }) => target)).toEqual([
      { text: "/tmp/a", isSure: true },
      { text: "/tmp/b", isSure: true },
    ]);
  });
});

describe("a loop is not read where its variable could be something else:", () => {
  for (const text of [
    "for h in a b; do h=5; ls $h; done",
    "for h in a b; do h\\\n=5; ls $h; done",
    "for hh in a b; do h\\\nh=5; ls $hh; done",
    "for h in a b; do read x h; ls $h; done",
    "for h in a b; do read x; ls $h; done",
    "for h in a b; do eval $'\\150=5'; ls $h; done",
    "for h in a b; do ev'a'l \"$x\"; ls $h; done",
    "for h in a b; do command read x; ls $h; done",
    "for h in a b; do printf -v $'\\150' 5; ls $h; done",
    "x=-v; for h in a b; do printf $x $'\\150' 5; ls $h; done",
    "x=-eq; for h in a b; do [ $'\\150=5' $x 5 ]; ls $h; done",
    "for h in a b; do [ $'\\150=5' * 5 ]; ls $h; done",
    "for h in a b; do (( $x )); ls $h; done",
    "for h in a b; do echo $(( $x )); ls $h; done",
    "for h in a b; do [[ $x -eq 1 ]]; ls $h; done",
    "for h in a b; do [ $x -eq 1 ]; ls $h; done",
    "for h in a b; do echo ${h:=c}; ls $h; done",
    "for h in a b; do echo ${x[$y]}; ls $h; done",
    "for h in a b; do $x; ls $h; done",
    "for h in a b; do . ./x; ls $h; done",
    "for h in a b; do set -- c; ls $h; done",
    "for h in a b; do IFS=a; ls $h; done",
    "for h in a b; do for h in c; do ls $h; done; done",
    "for h in $x; do ls $h; done",
    "for h in *; do ls $h; done",
    "for h in ~; do ls $h; done",
    "for h in a 'b c'; do ls $h; done",
    "for h in {1..3}; do ls $h; done",
    "for h; do ls $h; done",
    "for h in a; do ls $h:t; done",
    'for h in a; do ls "$h[1]"; done',
    "for h in a b; do ls ~$h; done",
    "for h in a b; do ls $h*; done",
    "f() { ls; }; for h in a b; do f; ls $h; done",
    "trap x EXIT; for h in a b; do ls $h; done",
    `for h in ${Array.from({ length: 65 }, (_, index) => `w${index}`).join(" ")}; do ls $h; done`,
  ])
    test(text.slice(0, 80), () => {
      const seen = lines(text).filter((line) => line.startsWith("ls "));
      expect(seen.length).toBeGreaterThan(0);
      for (const line of seen) expect(line).toContain("?");
    });
});

test("a loop is not read over a variable that a shell has a use for itself", () => {
  const own = [
    ["bash", "compgen -v; compgen -A arrayvar; echo REPLY; echo MAPFILE; echo COPROC; echo OPTARG"],
    ["dash", "set | sed -n 's/=.*//p'"],
    [
      "zsh",
      "zmodload zsh/parameter zsh/datetime zsh/system zsh/zutil zsh/mapfile zsh/langinfo zsh/terminfo zsh/zle zsh/complete 2>/dev/null; print -l ${(k)parameters} words reply REPLY match",
    ],
  ] as const;
  const names = own.flatMap(([shell, script]) => {
    if (Bun.which(shell) === null) {
      expect([shell, process.env.IDDIO_REQUIRE_CLIENTS]).toEqual([shell, undefined]);
      return [];
    }
    const { stdout } = Bun.spawnSync([shell, "-c", script], { env: { PATH: process.env.PATH ?? "" } });
    return stdout.toString().split("\n");
  });
  const known = [...new Set(["_", "PATH", ...names])].filter((name) => /^[A-Za-z_]\w*$/.test(name));
  expect(known.length).toBeGreaterThan(10);
  for (const name of known) expect(lines(`for ${name} in a; do ls $${name}; done`)).toEqual(["ls ?"]);
  expect(lines("for _ in get; do true delete; kubectl $_ pods; done").at(-1)).toBe("kubectl ? pods");
});

const name = fc.constantFrom("h", "host", "x_1");
const value = fc.stringMatching(/^[A-Za-z0-9_/][A-Za-z0-9_./:@%+=,-]{0,4}$/);
const use = (variable: string) =>
  fc
    .array(
      fc.constantFrom(
        `$${variable}`,
        `\${${variable}}`,
        `"$${variable}"`,
        `'$${variable}'`,
        "a",
        "/",
        ".",
        "-",
        '"b c"',
        "\\$",
        ":",
        "x=",
      ),
      {
        minLength: 1,
        maxLength: 4,
      },
    )
    .map((parts) => parts.join(""));
const script = fc
  .tuple(name, fc.array(value, { minLength: 1, maxLength: 3 }))
  .chain(([variable, words]) =>
    fc
      .array(use(variable), { minLength: 1, maxLength: 3 })
      .map((args) => `for ${variable} in ${words.join(" ")}; do printf '%s\\n' ${args.join(" ")}; done`),
  );

test("words that are read for sure are those that bash, dash and zsh give the program", async () => {
  if (SHELLS.length < 3) expect(process.env.IDDIO_REQUIRE_CLIENTS).toBeUndefined();
  const scripts = fc.sample(script, { numRuns: 400, seed: 20_261_129 });
  for (const shell of SHELLS) {
    // One shell for all: each in a subshell, with a mark behind it.
    const text = scripts.map((each) => `(${each}) 2>/dev/null\nprintf '\\1\\n'`).join("\n");
    const child = Bun.spawn([shell, "-s"], {
      stdin: new TextEncoder().encode(`unsetopt nomatch 2>/dev/null\n${text}`),
      stdout: "pipe",
      stderr: "ignore",
      env: { PATH: "/usr/bin:/bin", HOME: "/nowhere", LC_ALL: "C.UTF-8" },
    });
    const answers = (await new Response(child.stdout).text()).split("\x01\n");
    let compared = 0;
    const wrong = scripts.flatMap((each, index) => {
      const { commands } = readScript(each);
      if (!commands.every(({ words }) => words.every(({ isSure }) => isSure))) return [];
      compared += 1;
      const read = commands.flatMap(({ words }) => words.slice(2).map((word) => `${word.text}\n`)).join("");
      return answers[index] === read
        ? []
        : [`${shell}: ${each}: ${JSON.stringify(answers[index])}, read ${JSON.stringify(read)}`];
    });
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(100);
  }
}, 120_000);
