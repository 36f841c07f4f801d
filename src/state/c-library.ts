// Where the C library is, by its whole path. A bare name would do for the loader, but the runtime
// also tries it in the working directory (and macOS's loader does too), where an agent can put a
// file of that name.

import { readFileSync } from "node:fs";

/** Bun's way to call C, loaded when something is called: most programs that could call it do not. */
export function foreign(): typeof import("bun:ffi") {
  return process.getBuiltinModule("bun:ffi") as unknown as typeof import("bun:ffi");
}

/** The libraries to try, best first. Empty where none is known; never a relative path. */
export function cLibraries(platform: NodeJS.Platform = process.platform): readonly string[] {
  if (platform === "darwin") return ["/usr/lib/libSystem.B.dylib"];
  return platform === "linux" ? loadedCLibraries(readMaps()) : [];
}

/** The C library that this process has loaded already, from the text of /proc/self/maps. */
export function loadedCLibraries(maps: string): readonly string[] {
  const paths = [
    ...maps.matchAll(/ (\/\S*\/(?:libc\.so\.6|libc-2\.\d+\.so|(?:libc|ld)[.-]musl-\w+\.so\.1))$/gm),
  ];
  return [...new Set(paths.map(([, path = ""]) => path))];
}

function readMaps(): string {
  try {
    return readFileSync("/proc/self/maps", "utf8");
  } catch {
    return "";
  }
}
