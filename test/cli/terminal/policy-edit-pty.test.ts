// `policy edit` where somebody can be asked: an invalid draft is opened again, at its first error.

import { expect, test } from "bun:test";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { builtBinary } from "../../support/built-binary.ts";
import { startPty } from "../../support/pages/pty.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const POLICY = "generic:\n  inspect: []\n  default: escalate\n";

/** A home with a policy, and a "vi" that notes how it was called and does the next of `deeds`, sed scripts. */
async function home(deeds: readonly string[]) {
  const directory = await temporaryDirectory();
  const state = join(directory.path, ".iddio");
  await mkdir(state, { mode: 0o700 });
  await writeFile(join(state, "policy.yaml"), POLICY);
  await writeFile(join(directory.path, "deeds"), `${deeds.join("\n")}\n`);
  const vi = join(directory.path, "vi");
  await writeFile(
    vi,
    `#!/bin/sh
cd "$HOME"; echo "$#: $1" >> calls
for file; do :; done
sed -i "$(head -1 deeds)" "$file"; sed -i 1d deeds
`,
  );
  await chmod(vi, 0o755);
  const env = { HOME: directory.path, EDITOR: vi };
  return {
    path: directory.path,
    start: () => startPty([builtBinary(), "policy", "edit"], { env }),
    read: (name: string) => readFile(join(directory.path, name), "utf8"),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

test("enter opens the draft again at its first error; what loads then is saved", async () => {
  await using own = await home(["s/escalate/maybe/", "s/maybe/deny/"]);
  await using program = own.start();
  await program.until(({ text }) => text.includes("edit it again? [Y/n]"));
  expect(program.screen.text.replaceAll("\n", "")).toContain(
    "policy.draft.yaml:3:12: error: 'maybe' is not an action",
  );
  expect(await own.read(".iddio/policy.yaml")).toBe(POLICY);
  program.type("\r");
  expect(await program.exited).toBe(0);
  expect(await own.read(".iddio/policy.yaml")).toBe(POLICY.replace("escalate", "deny"));
  const draft = join(own.path, ".iddio/policy.draft.yaml");
  expect(await own.read("calls")).toBe(`1: ${draft}\n2: +3\n`);
});

for (const [name, keys] of [
  ["n", "n\r"],
  ["Ctrl-C", "\x03"],
  ["the end of input", "\x04"],
] as const) {
  test(`${name} keeps the draft for later`, async () => {
    await using own = await home(["s/escalate/maybe/"]);
    await using program = own.start();
    await program.until(({ text }) => text.includes("edit it again? [Y/n]"));
    program.type(keys);
    expect(await program.exited).toBe(1);
    expect(program.screen.text.replaceAll("\n", "")).toContain("the draft is kept");
    expect(await own.read(".iddio/policy.yaml")).toBe(POLICY);
    expect(await own.read(".iddio/policy.draft.yaml")).toContain("maybe");
  });
}
