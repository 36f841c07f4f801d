// ca-bundle.pem: the system's roots plus the iddio CA. Programs that are pointed at it see intercepted hosts and
// those that pass through alike, so it must never hold less than the system trusts. Written again at each start,
// because the system's roots change with its updates. A store that collapses does not take the last bundle with it.

import { readFile } from "node:fs/promises";
import { isCollapse } from "../model/root-count.ts";
import { writeFileAtomic } from "../state/files.ts";
import type { StatePaths } from "../state/paths.ts";
import { pemCertificates } from "../text/pem-certificates.ts";
import type { Authority } from "./authority.ts";

/** What the bundle is made of besides the authority. */
export interface BundleSources {
  /** The roots that the system trusts, one PEM block each. */
  readonly roots: readonly string[];
  /** `SSL_CERT_FILE`, when it names another file than the bundle, is part of what the user trusts and included. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What became of the bundle: `kept` says that the system had less than half of what the last bundle holds. */
export type BundleOutcome = "written" | "same" | "kept";

/** Writes the bundle, 0644, unless it holds the same already or would lose more than half of its roots. */
export async function writeBundle(
  paths: StatePaths,
  authority: Authority,
  { roots, env = {} }: BundleSources,
): Promise<BundleOutcome> {
  const certificates = new Set(roots);
  // A shell that sourced our snippet names our own bundle here: old authorities must not live on through it.
  const extra = env.SSL_CERT_FILE;
  if (extra !== undefined && extra !== "" && extra !== paths.bundle)
    for (const each of await certificatesIn(extra)) certificates.add(each);
  const own = pemCertificates(authority.certificatePem)[0] ?? authority.certificatePem;
  certificates.delete(own);
  const text = `${[...certificates, own].join("\n")}\n`;
  const before = await readFile(paths.bundle, "latin1").catch(() => "");
  if (before === text) return "same";
  const held = pemCertificates(before);
  if (isCollapse(held.length - 1, certificates.size)) {
    // The roots stay; the authority is the last block, and it may be a new one.
    if (held.at(-1) === own) return "kept";
    await writeFileAtomic(paths.bundle, `${[...held.slice(0, -1), own].join("\n")}\n`, 0o644);
    return "kept";
  }
  await writeFileAtomic(paths.bundle, text, 0o644);
  return "written";
}

async function certificatesIn(path: string): Promise<readonly string[]> {
  return pemCertificates(await readFile(path, "latin1").catch(() => ""));
}
