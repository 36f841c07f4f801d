// Who put this program where it is. Only a package manager may replace files that it placed: it
// would not know of another's change, and would undo it at the next upgrade.

import { readFile, realpath } from "node:fs/promises";

/** A package manager, and what to type to upgrade by it. */
export interface PackageOrigin {
  readonly manager: "Homebrew" | "dpkg";
  readonly upgrade: string;
}

/** The manager that placed this file, or undefined when nobody did. `root` is the root of the file system, another in tests. */
export async function packageOrigin(program: string, root = "/"): Promise<PackageOrigin | undefined> {
  const path = await realpath(program).catch(() => program);
  if (/\/Cellar\/iddio\//.test(path))
    return { manager: "Homebrew", upgrade: "brew upgrade iddio && iddio install" };
  const files = await readFile(`${root.replace(/\/$/, "")}/var/lib/dpkg/info/iddio.list`, "utf8").catch(
    () => "",
  );
  if (!files.split("\n").includes(path)) return undefined;
  return {
    manager: "dpkg",
    upgrade: "sudo apt-get install ./iddio_<version>_<architecture>.deb && iddio install",
  };
}
