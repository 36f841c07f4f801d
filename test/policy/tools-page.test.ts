// docs/policy-tools.md shows commands with what they print. Those that need files alone are run
// here, against the policy and the cases of the page itself; those that read a log are in
// cli/scripts/policy-tools.txt.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { builtBinary } from "../support/built-binary.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const PAGE = readFileSync(join(PROJECT_ROOT, "docs/policy-tools.md"), "utf8");
const BLOCKS = [...PAGE.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, kind, text = ""]) => ({
  kind,
  text,
}));
const NEEDS_LOG = /^iddio policy (?:replay|suggest)\b/;

test("what the page of the policy tools shows is what they print", async () => {
  await using folder = await temporaryDirectory();
  const ofKind = (wanted: string) => BLOCKS.find(({ kind }) => kind === wanted)?.text ?? "";
  const [policy, cases] = [ofKind("yaml"), ofKind("yml")];
  const write = (name: string, text: string) => Bun.write(join(folder.path, name), text);
  await write("policy.yaml", policy);
  // "With `modify` added to the group `read`".
  await write("new.yaml", policy.replace("tiers: [observe]", "tiers: [observe, modify]"));
  await write("policy.test.yaml", cases);
  let shown = 0;
  for (const { text } of BLOCKS) {
    const [, command, output] = /^\$ (iddio policy .*)\n([\s\S]*)$/.exec(text) ?? [];
    if (command === undefined || NEEDS_LOG.test(command)) continue;
    const run = Bun.spawnSync(["sh", "-c", `${command.replace("iddio", '"$IDDIO"')} 2>&1`], {
      cwd: folder.path,
      // Its own policy is the one of the page.
      env: { PATH: process.env.PATH ?? "", HOME: folder.path, IDDIO_HOME: folder.path, IDDIO: builtBinary() },
    });
    expect(`${command}\n${run.stdout}`).toBe(`${command}\n${output}`);
    shown += 1;
  }
  expect(shown).toBeGreaterThan(6);
}, 120_000);
