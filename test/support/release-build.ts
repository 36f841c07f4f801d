// The release that tests serve and the program of the version before it, built once for a state of the sources: test
// files run in workers and globals of their own, and each build costs most of a minute. They lie in dist/test-release;
// who comes while another builds waits for it.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildRelease } from "../../packaging/release/build-release.ts";
import { newReleaseKeys } from "../../packaging/release/sign.ts";
import type { Target } from "../../packaging/release/targets.ts";
import { unpackMember } from "../../src/host/release/unpack.ts";
import { madeOnce } from "./made-once.ts";
import { PROJECT_ROOT } from "./source-files.ts";

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
  await buildRelease({
    root: PROJECT_ROOT,
    out: join(into, "release"),
    version: newVersion,
    seconds: 1_700_000_000,
    targets: [target],
    privateKey: keys.privateKey,
    isShipped: false,
    level: 1,
  });
  await mkdir(join(into, "new"));
  const program = join(into, "new", "iddio");
  await unpackMember(join(into, "release", `iddio-${target.name}.tar.gz`), "iddio", program, 0o755);
  await mkdir(join(into, "old"));
  await writeFile(join(into, "old", "iddio"), renamed(await readFile(program), newVersion, oldVersion), {
    mode: 0o755,
  });
  await writeFile(join(into, "key.pub"), keys.publicKey);
  await writeFile(join(into, "key"), keys.privateKey, { mode: 0o600 });
}

/** The same program under another version, which must be as long; a second compilation would cost six seconds. */
function renamed(program: Buffer, from: string, to: string): Buffer {
  if (from.length !== to.length || !program.includes(from)) throw new Error(`no ${from} to replace by ${to}`);
  for (let at = program.indexOf(from); at >= 0; at = program.indexOf(from, at)) program.write(to, at);
  return program;
}

/** Everything that a release is made from. */
function digestOfSources(wanted: WantedRelease): string {
  const hash = createHash("sha256").update(JSON.stringify([wanted, Bun.version]));
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
