// doctor's findings about state.db and about a daemon that judges nothing.

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import type { CheckContext } from "../../../src/cli/kit/check.ts";
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
