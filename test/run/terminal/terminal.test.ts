// Programs in a terminal under `iddio run` behave as without it: size, Ctrl-C, Ctrl-Z and fg, exit
// codes, full-screen programs, output that is not the terminal.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findClient } from "../../support/clients.ts";
import { startPty } from "../../support/pages/pty.ts";
import { noSandbox, type Sandbox, startSandbox } from "../../support/sandbox/sandbox.ts";

const LONG_MS = 120_000;

describe.if(noSandbox() === undefined)("in a terminal", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox();
  }, LONG_MS);

  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
  }, LONG_MS);

  const run = (isBare: boolean, ...command: string[]) =>
    startPty([...sandbox.asUser, sandbox.binary, "run", "--", ...command], {
      env: { ...sandbox.env },
      cwd: sandbox.project,
      endBy: "SIGKILL",
      isBare,
    });
  /** An interactive shell outside, as a person has it. */
  const shell = (isBare = false) =>
    startPty([...sandbox.asUser, "/bin/bash", "--norc", "--noprofile", "-i"], {
      env: { ...sandbox.env, PATH: `${dirname(sandbox.binary)}:${sandbox.env.PATH}`, PS1: "outside> " },
      cwd: sandbox.project,
      endBy: "SIGHUP",
      isBare,
    });

  test(
    "it has the size of the person's terminal, and follows it",
    async () => {
      await using program = run(
        false,
        "/bin/sh",
        "-c",
        "trap 'stty size' WINCH; stty size; while :; do sleep 0.1; done",
      );
      await program.until((screen) => screen.text.includes("24 80"));
      program.resize(100, 30);
      await program.until((screen) => screen.text.includes("30 100"));
      program.type("\x03");
      expect(await program.exited).toBe(130);
    },
    LONG_MS,
  );

  test(
    "stdin, stdout and stderr are one terminal, which is not the person's",
    async () => {
      await using program = run(
        false,
        "/bin/sh",
        "-c",
        "test -t 0 && test -t 1 && test -t 2 && echo all three; stty -a | grep -c isig",
      );
      await program.until((screen) => screen.text.includes("all three"));
      expect(await program.exited).toBe(0);
    },
    LONG_MS,
  );

  const codes: Readonly<Record<string, number>> = {
    "exit 0": 0,
    "exit 5": 5,
    "kill -TERM $$": 143,
    "kill -KILL $$": 137,
    "kill -INT $$": 130,
    "/nonexistent/program": 127,
  };
  for (const [script, code] of Object.entries(codes)) {
    test(
      `'${script}' ends with ${code} in a terminal`,
      async () => {
        await using program = run(false, "/bin/sh", "-c", script);
        expect(await program.exited).toBe(code);
      },
      LONG_MS,
    );
    test(
      `'${script}' ends with ${code} by pipes`,
      async () => {
        expect((await sandbox.inside(script)).code).toBe(code);
      },
      LONG_MS,
    );
  }

  test(
    "a program may catch Ctrl-C and go on",
    async () => {
      await using program = run(
        false,
        "/bin/sh",
        "-c",
        "n=0; trap 'echo caught; n=$((n+1))' INT; echo up; while [ $n != 2 ]; do sleep 0.1; done; exit 7",
      );
      for (const times of [1, 2]) {
        await program.until(
          (screen) => screen.text.includes("up") && screen.text.split("caught").length >= times,
        );
        program.type("\x03");
        await program.until((screen) => screen.text.split("caught").length > times);
      }
      expect(await program.exited).toBe(7);
    },
    LONG_MS,
  );

  test(
    "keys that are typed before the sandbox stands reach the agent, once and in order",
    async () => {
      const script = 'read -r a; echo "first=$a"; read -r b; echo "second=$b"; exit 4';
      await using program = run(false, "/bin/sh", "-c", script);
      // The terminal keeps them, whoever reads first.
      program.type("early\r");
      await program.until((screen) => /^first=early$/m.test(screen.text));
      program.type("later\r");
      await program.until((screen) => /^second=later$/m.test(screen.text));
      expect(await program.exited).toBe(4);
    },
    LONG_MS,
  );

  test(
    "Ctrl-Z gives the shell back, and fg the program",
    async () => {
      await using outside = shell();
      await outside.until((screen) => screen.text.includes("outside>"));
      outside.type(`iddio run -- /bin/sh -c 'echo up; read line; echo "got $line"; exit 3'\r`);
      await outside.until((screen) => /^up/m.test(screen.text));
      outside.type("\x1a");
      await outside.until((screen) => screen.text.includes("Stopped"));
      outside.type("echo back in $((40+2))\r");
      await outside.until((screen) => screen.text.includes("back in 42"));
      outside.type("fg\r");
      await outside.until(
        (screen) => screen.text.split("iddio run").length > 2 || screen.text.includes("read line; echo"),
      );
      outside.type("hello\r");
      await outside.until((screen) => /got hello[\s\S]*outside>\s*$/.test(screen.text));
      outside.type("echo code $?\r");
      await outside.until((screen) => screen.text.includes("code 3"));
    },
    LONG_MS,
  );

  test(
    "in the background the program runs and leaves the terminal to the shell, until it is fetched",
    async () => {
      await using outside = shell();
      const saw = (text: RegExp) => outside.until((screen) => text.test(screen.text));
      await saw(/outside>/);
      outside.type(`iddio run -- /bin/sh -c 'echo u""p; read line; echo "got $line"; exit 3' &\r`);
      await saw(/^(?:outside> )?up$/m);
      outside.type("clear; echo back in $((40+2))\r");
      await saw(/^back in 42/m);
      outside.type("fg\r");
      await saw(/^fg$|outside> fg$/m);
      outside.type("hello\r");
      await saw(/got hello[\s\S]*outside>\s*$/);
      outside.type("echo code $?\r");
      await saw(/^code 3/m);
      outside.type(
        `clear; iddio run -- /bin/sh -c 'echo u""p; sleep 2; echo st""ill there; read x; exit 4'\r`,
      );
      await saw(/^(?:outside> )?up$/m);
      outside.type("\x1a");
      await saw(/Stopped/);
      outside.type("bg; echo bo''th\r");
      await saw(/^both/m);
      await saw(/still there/);
      outside.type("fg; echo code $?\r");
      await saw(/^(?:outside> )?fg; echo code/m);
      outside.type("\r");
      await saw(/^code 4/m);
    },
    LONG_MS,
  );

  test(
    "under `timeout` in a script, which puts it in the background, it runs to its end",
    async () => {
      await sandbox.write(
        join(sandbox.project, "limited.sh"),
        'timeout 60 "$0" run -- /bin/sh -c "echo up; exit 5"; echo code $?\ntimeout 3 "$0" run -- sleep 50; echo code $?\n',
      );
      const argv = [...sandbox.asUser, "/bin/sh", "-c", ". ./limited.sh", sandbox.binary];
      await using program = startPty(argv, {
        env: { ...sandbox.env },
        cwd: sandbox.project,
        endBy: "SIGKILL",
      });
      await program.until((screen) => /^up$[\s\S]*^code 5$[\s\S]*^code 124$/m.test(screen.text));
      expect(await program.exited).toBe(0);
    },
    LONG_MS,
  );

  test(
    "an interactive shell inside has job control of its own",
    async () => {
      await using program = run(false, "/bin/bash", "--norc", "--noprofile", "-i");
      await program.until((screen) => screen.text.includes("$"));
      // Typed text is echoed before it runs; the output is spelled otherwise than the typed text.
      program.type("sh -c 'echo st\"\"arted; exec sleep 100'\r");
      await program.until((screen) => screen.text.includes("started"));
      program.type("\x1a");
      await program.until((screen) => screen.text.includes("Stopped"));
      program.type("bg; kill %1; wait %1; echo waited $?\r");
      await program.until((screen) => screen.text.includes("waited 143"));
      program.type("exit 4\r");
      expect(await program.exited).toBe(4);
    },
    LONG_MS,
  );

  test(
    "vim: full screen, a new size, Ctrl-Z and back, and the file is written",
    async () => {
      if (findClient("vim") === undefined) return;
      await using outside = shell(true);
      const saw = (text: string, times = 1) =>
        outside.until(() => outside.written.split(text).length > times);
      await saw("outside> ");
      outside.type("iddio run -- vim -u NONE -N note.txt\r");
      await saw("\x1b[?1049h");
      outside.type("ihello from vim\x1b:set columns?\r");
      await saw("columns=80");
      outside.resize(60, 12);
      await saw("\x1b[H\x1b[2J", 2);
      outside.type(":set columns?\r");
      await saw("columns=60");
      outside.type("\x1a");
      await saw("Stopped");
      outside.type("fg\r");
      await saw("\x1b[?1049h", 2);
      outside.type(":wq\r");
      await saw("outside> ", 3);
      outside.type("echo code $?\r");
      await saw("code 0");
      expect(readFileSync(join(sandbox.project, "note.txt"), "utf8")).toBe("hello from vim\n");
      expect(outside.written.split("\x1b[?1049l").length).toBeGreaterThan(2);
    },
    LONG_MS,
  );

  test(
    "a Node TUI: raw keys, the alternate screen, a new size, Ctrl-C as a key, Ctrl-Z and back, its exit code",
    async () => {
      if (findClient("node") === undefined) return;
      await sandbox.write(
        join(sandbox.project, "tui.cjs"),
        `const { stdin, stdout } = process;
const draw = (what) => stdout.write("\\x1b[2J\\x1b[H" + what + " " + stdout.columns + "x" + stdout.rows + "\\r\\n");
stdout.write("\\x1b[?1049h"); stdin.setRawMode(true); draw("up");
stdout.on("resize", () => draw("size"));
process.on("SIGCONT", () => { stdin.setRawMode(true); draw("back"); });
stdin.on("data", (keys) => {
  if (keys.includes(3)) draw("ctrl-c");
  else if (keys.includes(26)) { stdin.setRawMode(false); process.kill(process.pid, "SIGTSTP"); }
  else if (keys.includes(113)) { stdout.write("\\x1b[?1049l"); process.exit(23); }
});
`,
      );
      await using outside = shell(true);
      const saw = (text: string) => outside.until(() => outside.written.includes(text));
      await saw("outside> ");
      outside.type("iddio run -- node tui.cjs\r");
      await saw("up 80x24");
      outside.resize(61, 17);
      await saw("size 61x17");
      outside.type("\x03");
      await saw("ctrl-c 61x17");
      outside.type("\x1a");
      await saw("Stopped");
      outside.type("fg\r");
      await saw("back 61x17");
      outside.type("q");
      await outside.until(() => outside.written.split("outside> ").length > 3);
      outside.type("echo code $?\r");
      await saw("code 23");
    },
    LONG_MS,
  );

  test(
    "top: draws, and ends by its key",
    async () => {
      if (findClient("top") === undefined) return;
      await using program = run(true, "top", "-d", "1");
      await program.until(() => /load average[\s\S]*COMMAND/.test(program.written));
      program.type("q");
      expect(await program.exited).toBe(0);
    },
    LONG_MS,
  );

  test(
    "what would make the terminal type by itself does not arrive",
    async () => {
      await using program = run(
        false,
        "/bin/sh",
        "-c",
        "printf 'a\\033]52;c;?\\007b\\033[21tc\\005d\\n'; exit 0",
      );
      await program.until((screen) => screen.text.includes("abcd"));
      expect(program.written).not.toContain("]52");
      expect(program.written).not.toContain("[21t");
      expect(program.written).not.toContain("\x05");
    },
    LONG_MS,
  );

  test(
    "output to a pipe or a file goes there, unfiltered, while keys come from the terminal",
    async () => {
      await using outside = shell();
      await outside.until((screen) => screen.text.includes("outside>"));
      outside.type(
        `iddio run -- /bin/sh -c 'read x; printf "%s\\\\033[21t" "$x"; test -t 1 || echo piped >&2' > out.bin\r`,
      );
      await outside.until((screen) => screen.text.includes("out.bin"));
      outside.type("typed\r");
      await outside.until((screen) => /^piped/m.test(screen.text));
      expect(readFileSync(join(sandbox.project, "out.bin"), "latin1")).toBe("typed\x1b[21t");
    },
    LONG_MS,
  );

  test(
    "the terminal is as it was afterwards, also when the agent is killed",
    async () => {
      await using outside = shell(true);
      await outside.until(() => outside.written.includes("outside> "));
      outside.type("stty -g > before; clear\r");
      outside.type(
        `iddio run --name doomed -- /bin/sh -c 'stty raw -echo; printf "\\\\033[?1049hup"; sleep 100'\r`,
      );
      await outside.until(() => outside.written.includes("\x1b[?1049hup"));
      const { code } = await sandbox.iddio(["run", "stop", "doomed"]);
      expect(code).toBe(0);
      await outside.until(() => outside.written.split("outside> ").length > 3);
      outside.type("stty -g > after; echo compared $(cmp before after && echo same)\r");
      await outside.until(() => outside.written.includes("compared same"));
    },
    LONG_MS,
  );
});
