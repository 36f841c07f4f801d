// The advice to raise the level: only steps that this system offers.

import { expect, test } from "bun:test";
import { guardLevel } from "../../../src/features/guard/level.ts";

const FACTS = { problem: undefined, daemonUid: 501, ownerUid: 501, isRootFree: false } as const;

for (const guard of ["totp", "passkey"] as const)
  test(`${guard}: a service of the whole system is named where there is one`, () => {
    const raise = (hasSystemService: boolean) => guardLevel({ ...FACTS, guard, hasSystemService }).raise;
    expect(raise(true)).toContain("sudo iddio install --system");
    expect(raise(false)).not.toContain("--system");
    expect(raise(false)).toStartWith("iddio ");
  });
