// The certificate authority that clients trust, the bundle that they trust, and the roots that
// upstreams are held to. Opened together, because the bundle is the system's roots and the
// authority.

import { Authority } from "../ca/authority.ts";
import { writeBundle } from "../ca/bundle.ts";
import { systemRoots } from "../host/trust/system-roots.ts";
import type { Log } from "../state/log/log.ts";
import type { StatePaths } from "../state/paths.ts";
import { isSameCertificate } from "./control/ca-report.ts";

/** Opens the authority, writes the bundle, and gives both with the roots for upstreams. */
export async function openAuthority(
  paths: StatePaths,
  env: Readonly<Record<string, string | undefined>>,
  log: Log,
): Promise<{ readonly authority: Authority; readonly roots: readonly string[] }> {
  const authority = await Authority.open(paths);
  const roots = await systemRoots({
    env,
    kept: paths.bundle,
    onCollapse: (left) =>
      log.warn("the system's roots have collapsed; the public ones of the last bundle still count", {
        left,
        hint: `if that is meant: rm ${paths.bundle}, then iddio repair`,
      }),
  });
  await writeBundle(paths, authority, { roots, env });
  // Anyone who put iddio's own CA into the system's store did it for clients; as an upstream it proves nothing.
  return { authority, roots: roots.filter((pem) => !isSameCertificate(pem, authority)) };
}
