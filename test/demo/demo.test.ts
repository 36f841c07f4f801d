// The demos do what they tell, with kubectl and without, and leave nothing behind.

import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { builtBinary } from "../support/built-binary.ts";
import { runClient } from "../support/clients.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

/** Longer than a program may take. */
const LONG_MS = 110_000;

for (const [what, path] of [
  ["with the programs of this machine", process.env.PATH ?? ""],
  ["with no program but its own", "/nonexistent"],
] as const)
  test(
    `the demo runs ${what}`,
    async () => {
      await using temporary = await temporaryDirectory();
      const { code, stdout, stderr } = await runClient(
        process.execPath,
        [join(PROJECT_ROOT, "test/demo/demo.ts")],
        {
          env: {
            PATH: path,
            TMPDIR: temporary.path,
            IDDIO_BINARY: builtBinary(),
            NO_COLOR: "1",
            NODE_ENV: "test",
          },
        },
      );
      expect({ code, stderr, stdout: code === 0 ? "" : stdout }).toEqual({ code: 0, stderr: "", stdout: "" });
      for (const part of ["held as appr_", "approved appr_", "production needs it", "refused", "Done in"])
        expect(stdout).toContain(part);
      expect(stdout.match(/✓/g)).toHaveLength(4);
      expect(await readdir(temporary.path)).toEqual([]);
      const home = /state in (\S+)/.exec(stdout)?.[1] ?? "";
      expect(home).toStartWith(temporary.path);
      expect(existsSync(home)).toBe(false);
    },
    LONG_MS,
  );

test(
  "the demo of a fleet rolls a policy out, has an approval given elsewhere, finds rows of both machines, and ends",
  async () => {
    await using temporary = await temporaryDirectory();
    const { code, stdout, stderr } = await runClient(
      process.execPath,
      [join(PROJECT_ROOT, "test/demo/fleet.ts")],
      {
        env: { TMPDIR: temporary.path, IDDIO_BINARY: builtBinary(), NO_COLOR: "1", NODE_ENV: "test" },
        timeoutMs: 105_000,
      },
    );
    expect({ code, stderr, stdout: code === 0 ? "" : stdout }).toEqual({ code: 0, stderr: "", stdout: "" });
    for (const part of [
      "✓ both are in the fleet",
      "Anton publishes: a widening revision is published by somebody other than its author",
      "decided there:  modify, sensitive, break-glass",
      "✓ both machines have it",
      "Olga allows: nobody allows an ask of his own device",
      "Ada allows: the request is decided",
      "rows name the namespace",
      "Done in",
    ])
      expect(stdout).toContain(part);
    expect(stdout).toMatch(/✓ it went on \d+ ms after her answer/);
    for (const machine of ["machine-1 approved: PATCH", "machine-2 allowed: GET"])
      expect(stdout).toContain(machine);
    expect(await readdir(temporary.path)).toEqual([]);
  },
  LONG_MS,
);
