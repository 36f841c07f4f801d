// The targets of a release. Their names are part of the files that install.sh and `iddio upgrade`
// download, so they never change.

/** One platform that a release has a binary for. */
export interface Target {
  /** As in the archive's name, `iddio-<name>.tar.gz`. */
  readonly name: string;
  /** As `bun build --compile --target` has it. */
  readonly bunTarget: string;
  /** The package of the npm registry that holds the runtime. */
  readonly runtimePackage: string;
  /** Debian's name of the processor, when there is a package for it. */
  readonly debian?: string;
  /** The AppImage's name of the processor, when there is one for it. */
  readonly appImage?: string;
}

/** Every target. The packages are made from glibc's binaries. */
export const TARGETS: readonly Target[] = [
  {
    name: "linux-x64",
    bunTarget: "bun-linux-x64",
    runtimePackage: "@oven/bun-linux-x64",
    debian: "amd64",
    appImage: "x86_64",
  },
  {
    name: "linux-arm64",
    bunTarget: "bun-linux-arm64",
    runtimePackage: "@oven/bun-linux-aarch64",
    debian: "arm64",
    appImage: "aarch64",
  },
  { name: "linux-x64-musl", bunTarget: "bun-linux-x64-musl", runtimePackage: "@oven/bun-linux-x64-musl" },
  { name: "linux-arm64-musl", bunTarget: "bun-linux-arm64-musl", runtimePackage: "@oven/bun-linux-aarch64-musl" },
  { name: "darwin-x64", bunTarget: "bun-darwin-x64", runtimePackage: "@oven/bun-darwin-x64" },
  { name: "darwin-arm64", bunTarget: "bun-darwin-arm64", runtimePackage: "@oven/bun-darwin-aarch64" },
];
