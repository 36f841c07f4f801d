// Which build this is. The values are put in by the build (packaging/release/compile.ts); a run
// from source is told apart by its version.

declare const IDDIO_BUILD_VERSION: string | undefined;
declare const IDDIO_RELEASE_PUBLIC_KEY: string | undefined;
declare const IDDIO_SHIPPED: boolean | undefined;
declare const IDDIO_REPOSITORY: string | undefined;

/** `vYY.MMDD.HHMM` of a build, `v0.0.0-dev` when run from source. */
export const BUILD_VERSION: string =
  typeof IDDIO_BUILD_VERSION === "string" ? madeAnew(IDDIO_BUILD_VERSION) : "v0.0.0-dev";

/** The key that verifies releases, as the last line of minisign's public key file; "" when run from source. */
export const RELEASE_PUBLIC_KEY: string =
  typeof IDDIO_RELEASE_PUBLIC_KEY === "string" ? IDDIO_RELEASE_PUBLIC_KEY : "";

/** `owner/name` on GitHub, where releases come from unless a setting names a mirror. */
export const REPOSITORY: string =
  typeof IDDIO_REPOSITORY === "string" ? IDDIO_REPOSITORY : "leonardaustin/iddio";

/** Whether this program was made to be used and not to be tested: then nothing can stand in for a program of the system. */
export const IS_SHIPPED: boolean = typeof IDDIO_SHIPPED === "boolean" && IDDIO_SHIPPED;

/** The same text, made at run time: bytecode keeps a hash of each constant, and tests write another version over this one. */
function madeAnew(constant: string): string {
  return constant.split("").join("");
}
