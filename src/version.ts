// Which build this is. The value is put in by build.ts; a run from source is told apart by its name.

declare const IDDIO_BUILD_VERSION: string | undefined;

/** `vYY.MMDD.HHMM` of a build, `v0.0.0-dev` when run from source. */
export const BUILD_VERSION: string =
  typeof IDDIO_BUILD_VERSION === "string" ? IDDIO_BUILD_VERSION : "v0.0.0-dev";
