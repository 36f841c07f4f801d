// Where the C library is, by its whole path. A bare name would do for the loader, but the runtime
// also tries it in the working directory (and macOS's loader does too), where an agent can put a
// file of that name. A compiled program knows which C library its runtime is made for, and looks in
// that one's usual places first: to find it in this process's maps takes node:fs, a third of a
// start.

declare const IDDIO_LIBC: "glibc" | "musl" | undefined;

/** Bun's way to call C, loaded when something is called: most programs that could call it do not. */
export function foreign(): typeof import("bun:ffi") {
  return process.getBuiltinModule("bun:ffi") as unknown as typeof import("bun:ffi");
}

/** The libraries to try, best first. None where none is known; never a relative path. */
export function* cLibraries(platform: NodeJS.Platform = process.platform): Generator<string, void> {
  if (platform === "darwin") yield "/usr/lib/libSystem.B.dylib";
  if (platform !== "linux") return;
  // With these the loader may have taken another one than the system's.
  const isUsual = !process.env.LD_LIBRARY_PATH && !process.env.LD_PRELOAD;
  if (typeof IDDIO_LIBC === "string" && isUsual) yield* usualPlaces(IDDIO_LIBC, process.arch);
  yield* loadedCLibraries(readMaps());
}

/** Where systems keep the C library of a kind, on this processor. */
export function usualPlaces(kind: "glibc" | "musl", arch: string): readonly string[] {
  const processor = ({ x64: "x86_64", arm64: "aarch64" } as Readonly<Record<string, string>>)[arch];
  if (processor === undefined) return [];
  if (kind === "musl") return [`/lib/ld-musl-${processor}.so.1`];
  // Debian and its kin; Red Hat's, SUSE's, Arch's.
  return [`/lib/${processor}-linux-gnu/libc.so.6`, "/lib64/libc.so.6"];
}

/** The C library that this process has loaded already, from the text of /proc/self/maps. */
export function loadedCLibraries(maps: string): readonly string[] {
  const paths = [
    ...maps.matchAll(/ (\/\S*\/(?:libc\.so\.6|libc-2\.\d+\.so|(?:libc|ld)[.-]musl-\w+\.so\.1))$/gm),
  ];
  return [...new Set(paths.map(([, path = ""]) => path))];
}

/** The kind that the maps of a process show. */
export function kindOfCLibrary(maps: string): "glibc" | "musl" {
  return loadedCLibraries(maps).some((path) => path.includes("musl")) ? "musl" : "glibc";
}

function readMaps(): string {
  try {
    return process.getBuiltinModule("node:fs").readFileSync("/proc/self/maps", "utf8");
  } catch {
    return "";
  }
}
