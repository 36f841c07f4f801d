// doctor's findings about state.db, about files that are not in force, and about a daemon that judges nothing.

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import type { CheckContext } from "../../../src/cli/kit/check.ts";
import { checkPolicy, checkSettings } from "../../../src/features/doctor/check-config.ts";
import { checkProxyMode } from "../../../src/features/doctor/check-service.ts";
import { checkDatabase } from "../../../src/features/doctor/check-state.ts";
import { openDatabase } from "../../../src/state/database.ts";
import { statePaths } from "../../../src/state/paths.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

test("a damaged state.db is found, a whole one is not", async () => {
  await using at = await temporaryDirectory();
  const paths = statePaths({ IDDIO_HOME: at.path });
  const verdict = async () => (await checkDatabase({ paths } as CheckContext)).verdict;
  expect(await verdict()).toBe("skip");
  openDatabase(paths.database).close();
  expect(await verdict()).toBe("ok");
  writeFileSync(paths.database, "no database at all".repeat(400));
  expect(await verdict()).toBe("fail");
});

test("a daemon that refuses nothing is worth a warning", async () => {
  for (const [proxyMode, verdict] of [
    ["enforce", "ok"],
    ["observe", "warn"],
    ["passthrough", "warn"],
    ["off", "warn"],
  ] as const)
    expect(await checkProxyMode({ daemon: { proxyMode } } as unknown as CheckContext)).toMatchObject({
      verdict,
    });
});

test("a file that loads and is not in force is worth a warning", async () => {
  await using at = await temporaryDirectory();
  const paths = statePaths({ IDDIO_HOME: at.path });
  writeFileSync(paths.policy, "kubectl:\n  inspect: []\n  default: deny\n", { mode: 0o600 });
  writeFileSync(paths.settings, "approval_guard: off\n", { mode: 0o600 });
  const find = async (policy: string, settings?: string) => {
    const context = { paths, daemon: { policy, settings } } as unknown as CheckContext;
    const findings = [await checkPolicy(context), await checkSettings(context)];
    return findings.map(({ verdict, detail, fix }) => [verdict, detail, fix]);
  };
  const inForce = [
    ["ok", "loads; 0 inspect entries", undefined],
    ["ok", "loads", undefined],
  ];
  expect(await find("loaded", "loaded")).toEqual(inForce);
  expect(await find("loaded")).toEqual(inForce);
  expect(
    await find(
      "loaded (policy.yaml failed to reload: it may let more through (a lot); load it with: iddio policy reload)",
      "loaded (settings.yaml failed to reload: everybody may write it)",
    ),
  ).toEqual([
    ["warn", "loads, but is not in force: it may let more through (a lot)", "iddio policy reload"],
    [
      "warn",
      "loads, but is not in force: everybody may write it",
      "correct that, then: iddio settings reload",
    ],
  ]);
});
