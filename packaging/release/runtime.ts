// The Bun runtimes of other platforms. They are optional packages of `bun`, of which npm installs this platform's only;
// the others are fetched here when a release is built, and taken only with the checksum that package-lock.json pins.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "./targets.ts";

/** Path of a target's runtime, fetched into `dist/.runtimes` unless it is there. */
export function runtimeFor({ runtimePackage }: Target, root: string): string {
  const installed = join(root, "node_modules", runtimePackage, "bin", "bun");
  if (existsSync(installed)) return installed;
  const { version, integrity } = locked(runtimePackage, root);
  const folder = join(root, "dist", ".runtimes", `${runtimePackage.replace("@oven/", "")}-${version}`);
  const runtime = join(folder, "package", "bin", "bun");
  if (existsSync(runtime)) return runtime;
  const scratch = `${folder}.${process.pid}`;
  mkdirSync(scratch, { recursive: true });
  try {
    run(["npm", "pack", "--silent", "--pack-destination", scratch, `${runtimePackage}@${version}`], root);
    const archive = join(scratch, `${runtimePackage.slice(1).replace("/", "-")}-${version}.tgz`);
    const digest = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
    if (digest !== integrity)
      throw new Error(`${runtimePackage} ${version} is not what package-lock.json pins: ${digest}`);
    run(["tar", "-xzf", archive, "-C", scratch], root);
    rmSync(archive);
    rmSync(folder, { recursive: true, force: true });
    renameSync(scratch, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return runtime;
}

function locked(name: string, root: string): { readonly version: string; readonly integrity: string } {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version: string; integrity: string } | undefined>;
  };
  const found = lock.packages[`node_modules/${name}`];
  if (found === undefined) throw new Error(`package-lock.json does not name ${name}`);
  return found;
}

function run(argv: readonly string[], cwd: string): void {
  const { success, stderr } = Bun.spawnSync([...argv], { cwd, stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  if (!success) throw new Error(`${argv.join(" ")}: ${stderr.toString()}`);
}
