// Makes the parts of an installation besides its binary and service: the state directory with
// policy, authority and bundle. The daemon makes the same when it starts; `install` makes it
// before, so that it can list the new parts, and so that clients can be pointed at the bundle at
// once.

import { rename } from "node:fs/promises";
import { Authority } from "../../../ca/authority.ts";
import { writeBundle } from "../../../ca/bundle.ts";
import { systemRoots } from "../../../host/trust/system-roots.ts";
import { UserError } from "../../../model/user-error.ts";
import { ensureStateDirectory } from "../../../state/files.ts";
import { acquireDaemonLock } from "../../../state/lock.ts";
import type { StatePaths } from "../../../state/paths.ts";
import { PolicyStore } from "../../../state/policy-store.ts";

/** Which parts were there already and which are new. */
export interface Seeded {
  readonly policy: "kept" | "written";
  readonly authority: "kept" | "made";
  /** SHA-256 of the authority's certificate. */
  readonly fingerprint: string;
}

/**
 * Makes the missing parts and touches no existing one. Must not run beside a starting daemon: takes its lock,
 * and throws the `UserError` of the lock when a daemon runs, which has then made everything itself.
 */
export async function seedState(
  paths: StatePaths,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Seeded> {
  await ensureStateDirectory(paths);
  using _lock = acquireDaemonLock(paths);
  const hadPolicy = await Bun.file(paths.policy).exists();
  const hadAuthority = await Bun.file(paths.caCertificate).exists();
  const store = await PolicyStore.open(paths);
  store.close();
  const authority = await Authority.open(paths);
  await bundleOf(paths, authority, env);
  return {
    policy: hadPolicy ? "kept" : "written",
    authority: hadAuthority ? "kept" : "made",
    fingerprint: authority.fingerprint,
  };
}

/** Writes the bundle again from the system's present roots and the present authority. Throws without an authority. */
export async function renewBundle(
  paths: StatePaths,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  if (!(await Bun.file(paths.caCertificate).exists()))
    throw new UserError(`there is no '${paths.caCertificate}'`, { hint: "iddio repair" });
  const left = await bundleOf(paths, await Authority.open(paths), env);
  if (left !== undefined)
    throw new UserError(
      `this system's store holds ${left} roots only, so the public ones of the last bundle still count`,
      {
        hint: `restore the system's certificates (ca-certificates), or if that is meant: rm '${paths.bundle}' and try again`,
      },
    );
}

/**
 * Puts the authority's files aside, under the same names with `.broken` behind, and makes a new one. No daemon may run.
 * Every client that was told to trust the old one must be told again; those that use the bundle need not.
 */
export async function renewAuthority(
  paths: StatePaths,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  await ensureStateDirectory(paths);
  using _lock = acquireDaemonLock(paths);
  for (const path of [paths.caCertificate, paths.caKey])
    if (await Bun.file(path).exists()) await rename(path, `${path}.broken`);
  await bundleOf(paths, await Authority.open(paths), env);
}

/** How many roots are left when the system's store has collapsed. */
async function bundleOf(
  paths: StatePaths,
  authority: Authority,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number | undefined> {
  let collapsed: number | undefined;
  const onCollapse = (left: number) => {
    collapsed = left;
  };
  const roots = await systemRoots({ env, kept: paths.bundle, onCollapse });
  await writeBundle(paths, authority, { roots, env });
  return collapsed;
}
