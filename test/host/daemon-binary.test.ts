// The daemon's copy of the program is replaced whenever it differs, wherever the difference is, and
// left alone when it does not.

import { expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { placeProgram } from "../../src/host/service/daemon-binary.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const MEBIBYTE = 1024 * 1024;

for (const size of [0, 5, MEBIBYTE, 2 * MEBIBYTE + 5])
  test(`a copy of ${size} octets is replaced when any of them differs, and only then`, async () => {
    await using at = await temporaryDirectory();
    const [source, target] = [join(at.path, "source"), join(at.path, "bin", "copy")];
    const content = Buffer.alloc(size, "iddio");
    writeFileSync(source, content);
    expect(await placeProgram(source, target)).toBe(true);
    const { ino } = statSync(target);
    expect(await placeProgram(source, target)).toBe(false);
    expect(statSync(target).ino).toBe(ino);
    for (const place of new Set([0, size >> 1, size - 1].filter((at) => at >= 0 && at < size))) {
      const other = Buffer.from(content);
      other[place] = (other[place] ?? 0) ^ 1;
      writeFileSync(target, other);
      expect([place, await placeProgram(source, target)]).toEqual([place, true]);
      expect(readFileSync(target).equals(content)).toBe(true);
    }
    for (const length of [size - 1, size + 1].filter((length) => length >= 0)) {
      writeFileSync(target, Buffer.alloc(length, "iddio"));
      expect([length, await placeProgram(source, target)]).toEqual([length, true]);
    }
  });
