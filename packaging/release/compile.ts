// Compiles the program for one platform. What a build is made with beside its sources (version, release key,
// repository) is put in here, and nowhere else.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { kindOfCLibrary } from "../../src/state/c-library.ts";
import { packDefaultPolicy } from "./pack-default-policy.ts";
import { packPages } from "./pack-pages.ts";
import { packTables } from "./pack-tables.ts";

/** The inputs of a compilation. */
export interface CompileInput {
  readonly root: string;
  readonly outfile: string;
  readonly version: string;
  /** minisign public key file that verifies releases; the project's own unless told. */
  readonly publicKey?: string;
  /** For use, not for tests: no test's stand-in counts. */
  readonly isShipped?: boolean;
  /** False leaves the bytecode out: the program starts later, and is compiled in a third of the time. */
  readonly hasBytecode?: boolean;
  /** Another platform's runtime, with the target that it is for. */
  readonly platform?: { readonly bunTarget: string; readonly runtime: string };
}

/** Where the project's public key is. */
export const PUBLIC_KEY_PATH = "packaging/iddio-release.pub";

/** `owner/name` of the project's repository, from package.json. */
export function repositoryOf(root: string): string {
  const { repository } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    repository: { url: string };
  };
  const name = /github\.com[/:]([^/]+\/[^/]+?)(?:\.git)?$/.exec(repository.url)?.[1];
  if (name === undefined) throw new Error(`package.json's repository is not on GitHub: ${repository.url}`);
  return name;
}

/** Compiles; throws with the compiler's own words. */
export async function compile(input: CompileInput): Promise<void> {
  const { root, outfile, version, publicKey, platform, isShipped, hasBytecode = true } = input;
  const key = publicKey ?? readFileSync(join(root, PUBLIC_KEY_PATH), "utf8");
  const options = {
    outfile,
    // Nothing in the folder where a person types `iddio` may change what the program does: an agent
    // writes there. Bun's defaults would run a bunfig.toml's preload and read .env files.
    autoloadBunfig: false,
    autoloadDotenv: false,
    autoloadTsconfig: false,
    autoloadPackageJson: false,
    ...(platform === undefined
      ? {}
      : { target: platform.bunTarget as Bun.Build.CompileTarget, executablePath: platform.runtime }),
  };
  const result = await Bun.build({
    entrypoints: [join(root, "src", "main.ts")],
    compile: options,
    plugins: [packTables],
    // Names stay: ssh2 tells its channels apart by the names of their classes.
    minify: { whitespace: true, syntax: true },
    // Optional native parts of ssh2, which does without.
    external: ["cpu-features", "*.node"],
    bytecode: hasBytecode,
    // Split, what a command does not import is not even read at its start: 5 ms of 12.
    splitting: true,
    format: "esm",
    define: {
      ...(await packPages(root)),
      IDDIO_DEFAULT_POLICY_TREE: JSON.stringify(packDefaultPolicy()),
      IDDIO_SHIPPED: String(isShipped === true),
      IDDIO_BUILD_VERSION: JSON.stringify(version),
      IDDIO_RELEASE_PUBLIC_KEY: JSON.stringify(key.trim().split("\n").at(-1) ?? ""),
      IDDIO_LIBC: JSON.stringify(cLibraryOf(platform?.bunTarget)),
      IDDIO_REPOSITORY: JSON.stringify(repositoryOf(root)),
    },
  });
  if (!result.success) throw new Error(result.logs.map(String).join("\n"));
}

/** The kind of C library that the runtime of a build is made for; without a target the runtime is this one. */
function cLibraryOf(bunTarget: string | undefined): "glibc" | "musl" {
  if (bunTarget !== undefined) return bunTarget.includes("musl") ? "musl" : "glibc";
  return process.platform === "linux" ? kindOfCLibrary(readFileSync("/proc/self/maps", "utf8")) : "glibc";
}
