// Ctrl-C and signals while `iddio run` starts: none is lost, wherever it falls. In process for
// each rule, in a real terminal for the key, and in real runs at several moments of the start.

import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EndedBySignal, RunSignals } from "../../src/features/run/run-signals.ts";
import { eventually } from "../support/eventually.ts";
import { startPty } from "../support/pages/pty.ts";
import { noSandbox, startSandbox } from "../support/sandbox/sandbox.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const LONG_MS = 120_000;
const SIGINT = 2;

test("a signal before there is an agent ends the start, one afterwards is the agent's", () => {
  using signals = new RunSignals();
  const said: (string | number)[] = [];
  let isThere = false;
  signals.check();
  signals.take(SIGINT);
  expect(() => signals.check()).toThrow(EndedBySignal);
  signals.passTo(
    (signal) => {
      if (isThere) said.push(signal);
      return isThere;
    },
    () => said.push("ended"),
  );
  // It came before there was anything to end.
  expect(said).toEqual(["ended"]);
  isThere = true;
  signals.take(15);
  expect([said, signals.early]).toEqual([["ended", 15], SIGINT]);
  expect(new EndedBySignal(SIGINT).exitCode).toBe(130);
});

const source = (path: string) => JSON.stringify(join(import.meta.dir, "..", "..", "src", path));
const RAW = `
import { AgentTerminal } from ${source("features/run/agent-terminal.ts")};
import { RunSignals } from ${source("features/run/run-signals.ts")};
const signals = new RunSignals();
const terminal = new AgentTerminal();
signals.passTo(() => false, () => {
  terminal[Symbol.dispose]();
  console.log("ended by " + signals.early);
  process.exit(0);
});
terminal.begin({ wasReady: false, send() {} }, signals);
console.log("raw");
`;

test(
  "the key counts as the signal as long as the agent's terminal has nobody who would hear it",
  async () => {
    await using directory = await temporaryDirectory();
    const script = join(directory.path, "raw.ts");
    await writeFile(script, RAW);
    for (const [key, number] of [
      ["\x03", 2],
      ["\x1c", 3],
    ] as const) {
      await using program = startPty([process.execPath, script], {
        env: { BUN_BE_BUN: "1" },
        endBy: "SIGKILL",
      });
      await program.until((screen) => screen.text.includes("raw"));
      program.type(`typed ahead${key}`);
      await program.until((screen) => screen.text.includes(`ended by ${number}`));
      expect(await program.exited).toBe(0);
    }
  },
  LONG_MS,
);

describe.if(noSandbox() === undefined)("of a real run", () => {
  test(
    "Ctrl-C at any moment of the start ends it, and leaves no run behind",
    async () => {
      await using sandbox = await startSandbox();
      for (const ms of [40, 80, 120, 160, 240]) {
        await using program = startPty(
          [...sandbox.asUser, sandbox.binary, "run", "--", "/bin/sleep", "600"],
          {
            env: { ...sandbox.env },
            cwd: sandbox.project,
            endBy: "SIGKILL",
          },
        );
        await Bun.sleep(ms);
        program.type("\x03");
        expect([ms, await program.exited]).toEqual([ms, 130]);
      }
      const program = sandbox.start(["run", "--name", "early", "--", "/bin/sleep", "600"]);
      await Bun.sleep(100);
      expect((await program.stop()).code).toBe(143);
      await eventually(
        async () => (await sandbox.control.call("runs_list", {})).runs.length,
        (count) => count === 0,
      );
    },
    LONG_MS,
  );
});
