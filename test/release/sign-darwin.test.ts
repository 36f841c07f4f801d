// The signature of the macOS binaries: every page hash recomputed by a reader of its own, on small
// files always and on the real programs where Bun's runtimes for macOS can be had, which CI
// demands.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../packaging/release/compile.ts";
import { runtimeFor } from "../../packaging/release/runtime.ts";
import { signDarwin } from "../../packaging/release/sign-darwin.ts";
import { TARGETS } from "../../packaging/release/targets.ts";
import { machO, readDarwinSignature } from "../support/release/mach-o.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const GOOD = {
  identifier: "dev.iddio.cli",
  flags: 2,
  wrongPages: [],
  isRequirementsHashRight: true,
  uncovered: 0,
  isLinkEditWhole: true,
  cmsLength: 8,
};

for (const size of [4096, 4112, 65_536, 99_984])
  test(`a file of ${size} octets is signed whole, and its old signature is gone`, () => {
    const file = machO(size, Buffer.from("Developer ID Application: somebody else".repeat(500)));
    const signed = signDarwin(file, "darwin-x64");
    expect(readDarwinSignature(signed)).toMatchObject(GOOD);
    expect(Buffer.from(signed).includes("somebody else")).toBe(false);
    expect(signDarwin(file, "darwin-x64")).toEqual(signed);
    // Signing again changes nothing: no part of the result depends on what was there.
    expect(signDarwin(signed, "darwin-x64")).toEqual(signed);
  });

test("one changed octet is a wrong page", () => {
  const signed = Buffer.from(signDarwin(machO(65_536), "darwin-arm64"));
  signed.writeUInt8(signed.readUInt8(9000) ^ 1, 9000);
  expect(readDarwinSignature(signed).wrongPages).toEqual([2]);
});

test("the two processors' binaries have UUIDs of their own, and not the runtime's", () => {
  const [x64, arm64] = ["darwin-x64", "darwin-arm64"].map(
    (target) => readDarwinSignature(signDarwin(machO(4096), target)).uuid,
  );
  expect(x64).not.toBe(arm64);
  expect(x64).not.toBe("ee".repeat(16));
});

for (const bytes of [Buffer.alloc(0), Buffer.from("\x7fELF".padEnd(64)), machO(4096).fill(0, 200, 204)])
  test(`a file that cannot be signed is refused: ${bytes.length} octets from ${bytes.toString("hex", 0, 4)}`, () =>
    expect(() => signDarwin(bytes, "darwin-x64")).toThrow(/Mach-O/));

test("the runtimes of the Macs are the version that compiles: bytecode of another one is ignored without a word", () => {
  const { packages } = JSON.parse(readFileSync(join(PROJECT_ROOT, "package-lock.json"), "utf8")) as {
    packages: Readonly<Record<string, { readonly version: string } | undefined>>;
  };
  for (const { runtimePackage } of TARGETS)
    expect([runtimePackage, packages[`node_modules/${runtimePackage}`]?.version]).toEqual([
      runtimePackage,
      packages["node_modules/bun"]?.version,
    ]);
});

for (const target of TARGETS.filter(({ name }) => name.startsWith("darwin-")))
  test(`${target.name}: every page hash of the real program is right`, async () => {
    let runtime: string;
    try {
      runtime = runtimeFor(target, PROJECT_ROOT);
    } catch (error) {
      if (process.env.IDDIO_REQUIRE_CLIENTS === "1") throw error;
      process.stderr.write(`no runtime for ${target.name}: its signature is not checked\n`);
      return;
    }
    await using at = await temporaryDirectory();
    const outfile = join(at.path, "iddio");
    await compile({
      root: PROJECT_ROOT,
      outfile,
      version: "v26.0101.0000",
      // Two thirds of the time; the signature of the whole program is what codesign reads in CI.
      hasBytecode: false,
      platform: { bunTarget: target.bunTarget, runtime },
    });
    const signed = signDarwin(readFileSync(outfile), target.name);
    expect(readDarwinSignature(signed)).toMatchObject(GOOD);
  }, 300_000);
