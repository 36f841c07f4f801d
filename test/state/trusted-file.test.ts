// Files that decide what is let through: regular, bounded, nobody else's; and, where a system's
// daemon lends a user's file, one that this user may read when it is opened, whatever it was when
// it was registered.

import { expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readConfigFile, readTrusted } from "../../src/state/trusted-file.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const NOBODY = 65_534;

test("a file that is missing is no file, and nothing is waited for", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "settings.yaml");
  expect(await readConfigFile(path)).toBeUndefined();
  writeFileSync(path, "log_level: info\n", { mode: 0o600 });
  expect(await readConfigFile(path)).toBe("log_level: info\n");
  rmSync(path);
  Bun.spawnSync(["mkfifo", path]);
  await expect(readConfigFile(path)).rejects.toThrow("it is not a file");
  rmSync(path);
  symlinkSync("/dev/zero", path);
  await expect(readConfigFile(path)).rejects.toThrow("it is not a file");
});

test("a system's daemon reads for a user only what the user may read, also behind a link and after an exchange", async () => {
  if (process.getuid?.() !== 0) {
    process.stderr.write("only root can try to read for another user\n");
    return;
  }
  await using directory = await temporaryDirectory();
  chmodSync(directory.path, 0o755);
  const home = join(directory.path, "home");
  mkdirSync(home);
  chownSync(home, NOBODY, NOBODY);
  const own = join(home, "own.pem");
  const read = () => readTrusted(own, 1_000, NOBODY);
  writeFileSync(own, "own", { mode: 0o600 });
  chownSync(own, NOBODY, NOBODY);
  expect(await read()).toBe("own");

  const secret = join(directory.path, "secret.pem");
  writeFileSync(secret, "root's", { mode: 0o600 });
  rmSync(own);
  symlinkSync(secret, own);
  await expect(read()).rejects.toThrow(`user ${NOBODY} may not read it`);
  chmodSync(secret, 0o644);
  expect(await read()).toBe("root's");
  // Everybody may read it, but nobody gets there.
  const closed = join(directory.path, "closed");
  mkdirSync(closed, { mode: 0o700 });
  writeFileSync(join(closed, "open.pem"), "root's", { mode: 0o644 });
  rmSync(own);
  symlinkSync(join(closed, "open.pem"), own);
  await expect(read()).rejects.toThrow(`user ${NOBODY} may not read it`);
  // Without a user who is served, root reads what root may.
  expect(await readTrusted(own, 1_000)).toBe("root's");
});
