// The demo does what it tells, with kubectl and without, in time, and leaves nothing behind.

import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { builtBinary } from "../support/built-binary.ts";
import { runClient } from "../support/clients.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

setDefaultTimeout(30_000);

for (const [what, path] of [
  ["with the programs of this machine", process.env.PATH ?? ""],
  ["with no program but its own", "/nonexistent"],
] as const)
  test(`the demo runs ${what}`, async () => {
    await using temporary = await temporaryDirectory();
    const startedMs = performance.now();
    const { code, stdout, stderr } = await runClient(
      process.execPath,
      [join(PROJECT_ROOT, "test/demo/demo.ts")],
      {
        env: { PATH: path, TMPDIR: temporary.path, IDDIO_BINARY: builtBinary(), NO_COLOR: "1" },
      },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(performance.now() - startedMs).toBeLessThan(20_000);
    for (const part of ["held as appr_", "approved appr_", "production needs it", "refused", "Done in"])
      expect(stdout).toContain(part);
    expect(stdout.match(/✓/g)).toHaveLength(4);
    expect(await readdir(temporary.path)).toEqual([]);
    const home = /state in (\S+)/.exec(stdout)?.[1] ?? "";
    expect(home).toStartWith(temporary.path);
    expect(existsSync(home)).toBe(false);
  });
