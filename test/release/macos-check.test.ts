// The check that a person runs on a Mac, and CI: it is shell that no machine here can run, so it is looked over; and no
// release is published without it.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findClient, runClient } from "../support/clients.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";

const SCRIPT = join(PROJECT_ROOT, "packaging/macos-check.sh");

test("the check is sound shell, without what bash 3.2 lacks, and refuses to run elsewhere", async () => {
  const shellcheck = findClient("shellcheck");
  if (shellcheck !== undefined)
    expect(await runClient(shellcheck, ["--shell=bash", SCRIPT])).toMatchObject({ code: 0, stdout: "" });
  const text = readFileSync(SCRIPT, "utf8");
  expect(text).not.toMatch(/declare -A|mapfile|readarray|\$\{\w+[,^]{1,2}\}|&>>|\|&/);
  if (process.platform === "darwin") return;
  const { code, stderr } = await runClient("/bin/bash", [SCRIPT, "--unattended", SCRIPT]);
  expect([code, stderr]).toEqual([2, "this is for macOS\n"]);
});

test("CI and releases verify the signature and run the check on both processors", () => {
  for (const name of ["ci.yml", "release.yml"]) {
    const text = readFileSync(join(PROJECT_ROOT, ".github/workflows", name), "utf8");
    for (const part of [
      "codesign --verify --strict",
      "packaging/macos-check.sh --unattended",
      "os: macos-15\n",
      "os: macos-15-intel\n",
      "npm test",
    ])
      expect(text).toContain(part);
  }
  expect(readFileSync(join(PROJECT_ROOT, ".github/workflows/release.yml"), "utf8")).toContain(
    "needs: [build, macos]",
  );
});
