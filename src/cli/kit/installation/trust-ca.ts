// Trust in the CA from the command line: every place of this machine, one after the other, and the
// marker `ca_trusted`. A browser that cannot be changed is a remark; a failure in the system's own
// store is an error.

import { rm } from "node:fs/promises";
import { UserError } from "../../../model/user-error.ts";
import type { StatePaths } from "../../../state/paths.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type Say = (line: string) => void;

/** Has the CA trusted everywhere. One line a place. Throws the `UserError` of the system's own place. */
export async function trustCa(
  paths: StatePaths,
  env: Environment,
  say?: Say,
  platform?: NodeJS.Platform,
): Promise<string[]> {
  const { readCertificate, trustPlaces } = await import("../../../host/trust/trust.ts");
  const { writeFileAtomic } = await import("../../../state/files.ts");
  const certificate = await readCertificate(paths.caCertificate);
  const places = await trustPlaces({ env, ...(platform === undefined ? {} : { platform }) });
  if (places.length === 0)
    throw new UserError("this system keeps its trusted certificates in no place that iddio knows", {
      hint: `add ${paths.caCertificate} by hand`,
    });
  const lines: string[] = [];
  for (const place of places) {
    if (await place.isTrusted(certificate)) {
      lines.push(`${place.name}: trusted already`);
      continue;
    }
    try {
      await place.trust(certificate, say);
      lines.push(`${place.name}: trusted`);
    } catch (error) {
      if (!place.isBrowser || !(error instanceof UserError)) throw error;
      lines.push(`${place.name}: ${error.message}`);
    }
  }
  await writeFileAtomic(paths.caTrusted, "true\n");
  return lines;
}

/** How `install` has the CA trusted: unless somebody asked for it by name, a system that refuses is only a remark. */
export async function trustAtInstall(
  paths: StatePaths,
  env: Environment,
  options: { readonly isAskedFor: boolean; readonly say: Say; readonly platform?: NodeJS.Platform },
): Promise<string[]> {
  try {
    return await trustCa(paths, env, options.say, options.platform);
  } catch (error) {
    // Over ssh macOS can show no window; everything else is in place and works.
    if (!(error instanceof UserError) || options.isAskedFor) throw error;
    if (error.hint !== undefined) options.say(error.hint);
    return [`not trusted: ${error.message}`];
  }
}

/** Has every place forget every iddio authority. One line a place that knew one. */
export async function untrustCa(paths: StatePaths, env: Environment, say?: Say): Promise<string[]> {
  const { readCertificate, trustPlaces } = await import("../../../host/trust/trust.ts");
  const certificate = await readCertificate(paths.caCertificate).catch(() => undefined);
  const lines: string[] = [];
  for (const place of await trustPlaces({ env }))
    if (await place.untrust(certificate, say)) lines.push(`${place.name}: no longer trusted`);
  await rm(paths.caTrusted, { force: true });
  return lines;
}
