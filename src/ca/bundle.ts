// ca-bundle.pem: the system's roots plus the iddio CA. Programs that are pointed at it see
// intercepted hosts and those that pass through alike, so it must never hold less than the system
// trusts. Written again at each start, because the system's roots change with its updates; other
// people's changes to it do not stay.

import { readFile } from "node:fs/promises";
import { writeFileAtomic } from "../state/files.ts";
import type { StatePaths } from "../state/paths.ts";
import { pemCertificates } from "../text/pem-certificates.ts";
import type { Authority } from "./authority.ts";

/** The certificates of the bundle besides the authority's. */
export interface BundleSources {
  /** The roots that the system trusts, one PEM block each. */
  readonly roots: readonly string[];
  /** `SSL_CERT_FILE`, when it names another file than the bundle, is trusted by the user and included. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Writes the bundle, 0644, unless it holds the same already. */
export async function writeBundle(
  paths: StatePaths,
  authority: Authority,
  { roots, env = {} }: BundleSources,
): Promise<void> {
  const certificates = new Set(roots);
  // A shell that sourced our snippet names our own bundle here: old authorities must not live on through it.
  const extra = env.SSL_CERT_FILE;
  if (extra !== undefined && extra !== "" && extra !== paths.bundle)
    for (const each of await certificatesIn(extra)) certificates.add(each);
  const own = pemCertificates(authority.certificatePem)[0] ?? authority.certificatePem;
  certificates.delete(own);
  const text = `${[...certificates, own].join("\n")}\n`;
  if ((await readFile(paths.bundle, "latin1").catch(() => "")) === text) return;
  await writeFileAtomic(paths.bundle, text, 0o644);
}

async function certificatesIn(path: string): Promise<readonly string[]> {
  return pemCertificates(await readFile(path, "latin1").catch(() => ""));
}
