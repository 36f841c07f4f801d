// The audit log in a terminal: a row is a line of 80 columns, in colour; all columns where there is
// room.

import { expect, test } from "bun:test";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { builtBinary } from "../../support/built-binary.ts";
import { eventually } from "../../support/eventually.ts";
import { startPty } from "../../support/pages/pty.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const ROW = {
  timestamp_ms: Date.UTC(2026, 0, 2, 3, 4, 5),
  op: "mitm",
  hash: "00",
  fields: {
    host: "my-cluster.eks.amazonaws.com",
    port: 443,
    method: "DELETE",
    path: "/api/v1/pods/api",
    tier: "sensitive",
    decision: "allow",
    outcome: "approved",
    status: 200,
  },
};

async function home() {
  const directory = await temporaryDirectory();
  const audit = join(directory.path, ".iddio", "audit.jsonl");
  await mkdir(join(directory.path, ".iddio"), { mode: 0o700 });
  await writeFile(audit, `${JSON.stringify(ROW)}\n`);
  return {
    audit,
    start: (args: readonly string[], columns = 80) =>
      startPty([builtBinary(), "audit", ...args], { env: { HOME: directory.path, TZ: "UTC" }, columns }),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

test("show has a line a row in 80 columns, in colour", async () => {
  await using own = await home();
  await using program = own.start(["show"]);
  expect(await program.exited).toBe(0);
  expect(program.screen.lines.slice(0, 3)).toEqual([
    "TIME         RESULT    TIER       REQUEST",
    "01-02 03:04  approved  sensitive  DELETE my-cluster.eks.amazonaws.com /api/v...",
    "",
  ]);
  expect(program.written).toContain("\x1b[32mapproved");
  expect(program.written).toContain("\x1b[31msensitive");
});

test("show has every column where there is room", async () => {
  await using own = await home();
  await using program = own.start(["show"], 170);
  expect(await program.exited).toBe(0);
  expect(program.screen.lines[0]).toStartWith("TIME                 OP    DECISION  OUTCOME");
  expect(program.screen.lines[1]).toStartWith("2026-01-02 03:04:05  mitm  allow     approved");
});

test("tail prints rows as they come, and ends at Ctrl-C", async () => {
  await using own = await home();
  await using program = own.start(["tail"]);
  await program.until(({ text }) => text.startsWith("TIME"));
  // Only what comes after it has begun to follow is printed, and nothing says when that is.
  await eventually(
    () => appendFile(own.audit, `${JSON.stringify(ROW)}\n`),
    () => program.screen.text.includes("approved     sensitive    DELETE my-cluster"),
  );
  program.type("\x03");
  expect(await program.exited).toBe(0);
});
