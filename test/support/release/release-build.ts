// The release that tests serve and the program of the version before it, made once for a state of the sources from the
// program that is built already: test files run in workers of their own. They lie in dist/test-release; who comes while
// another makes them waits for it.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildRelease } from "../../../packaging/release/build-release.ts";
import { PUBLIC_KEY_PATH } from "../../../packaging/release/compile.ts";
import { newReleaseKeys } from "../../../packaging/release/sign.ts";
import type { Target } from "../../../packaging/release/targets.ts";
import { builtBinary } from "../built-binary.ts";
import { madeOnce } from "../made-once.ts";
import { PROJECT_ROOT } from "../source-files.ts";

/** Where things lie, and the keys that signed them. */
export interface ReleaseBuild {
  /** The folder with the files of the release. */
  readonly folder: string;
  /** The program in its archive. */
  readonly newProgram: string;
  /** The program of the version before. */
  readonly oldProgram: string;
  readonly publicKeyPath: string;
  readonly privateKey: string;
}

/** The parts of a build. */
export interface WantedRelease {
  readonly target: Target;
  readonly oldVersion: string;
  readonly newVersion: string;
}

/** The build of the sources as they are now, made by the first that asks. */
export async function builtRelease(wanted: WantedRelease): Promise<ReleaseBuild> {
  const at = await madeOnce("test-release", digestOfSources(wanted), (folder) => build(wanted, folder));
  return {
    folder: join(at, "release"),
    newProgram: join(at, "new", "iddio"),
    oldProgram: join(at, "old", "iddio"),
    publicKeyPath: join(at, "key.pub"),
    privateKey: await readFile(join(at, "key"), "utf8"),
  };
}

async function build({ target, oldVersion, newVersion }: WantedRelease, into: string): Promise<void> {
  const keys = newReleaseKeys();
  const program = await readFile(builtBinary());
  const keyLine = (text: string) => text.trim().split("\n").at(-1) ?? "";
  const ownKey = await readFile(join(PROJECT_ROOT, PUBLIC_KEY_PATH), "utf8");
  replaceIn(program, keyLine(ownKey), keyLine(keys.publicKey));
  replaceIn(program, builtVersion(), newVersion);
  await buildRelease({
    root: PROJECT_ROOT,
    out: join(into, "release"),
    version: newVersion,
    seconds: 1_700_000_000,
    targets: [target],
    privateKey: keys.privateKey,
    program,
    level: 0,
  });
  for (const [name, version] of [
    ["new", newVersion],
    ["old", oldVersion],
  ] as const) {
    await mkdir(join(into, name));
    if (version !== newVersion) replaceIn(program, newVersion, version);
    await writeFile(join(into, name, "iddio"), program, { mode: 0o755 });
  }
  await writeFile(join(into, "key.pub"), keys.publicKey);
  await writeFile(join(into, "key"), keys.privateKey, { mode: 0o600 });
}

/** The version that dist/iddio says it has. */
export function builtVersion(): string {
  const { stdout } = Bun.spawnSync([builtBinary(), "version"]);
  return stdout
    .toString()
    .trim()
    .replace(/^iddio /, "");
}

/** Writes another version or key of the same length into the program; a second compilation would cost six seconds. */
function replaceIn(program: Buffer, from: string, to: string): void {
  if (from.length !== to.length || !program.includes(from)) throw new Error(`no ${from} to replace by ${to}`);
  for (let at = program.indexOf(from); at >= 0; at = program.indexOf(from, at + to.length))
    program.write(to, at);
}

/** Everything that a release is made from; the program by its time, as it may be built anew from the same sources. */
function digestOfSources(wanted: WantedRelease): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([wanted, Bun.version, builtBinary(), statSync(builtBinary()).mtimeMs]));
  const inside = (folder: string) =>
    readdirSync(join(PROJECT_ROOT, folder), { recursive: true, encoding: "utf8" })
      .map((name) => join(folder, name))
      .filter((path) => statSync(join(PROJECT_ROOT, path)).isFile());
  const paths = [
    ...inside("src"),
    ...inside("packaging"),
    "install.sh",
    "LICENSE",
    "package.json",
    "package-lock.json",
  ];
  for (const path of paths.sort()) hash.update(`${path}\0`).update(readFileSync(join(PROJECT_ROOT, path)));
  return hash.digest("hex").slice(0, 16);
}
