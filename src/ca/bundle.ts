// ca-bundle.pem: the system's roots plus the iddio CA. Programs that are pointed at it see intercepted hosts and
// those that pass through alike, so it must never hold less than the system trusts. Written again at each start,
// because the system's roots change with its updates.

import { readFile } from "node:fs/promises";
import * as tls from "node:tls";
import { writeFileAtomic } from "../state/files.ts";
import type { StatePaths } from "../state/paths.ts";
import type { Authority } from "./authority.ts";

/** Where systems keep their roots, in the order of Go's crypto/x509 with the BSDs' and macOS's place last. */
const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
] as const;

/**
 * Writes the bundle, 0644, unless it holds the same already. `env.SSL_CERT_FILE`, when it names another file than
 * the bundle, is part of what the user trusts and included.
 */
export async function writeBundle(
  paths: StatePaths,
  authority: Authority,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<void> {
  const certificates = new Set(await systemRoots());
  // A shell that sourced our snippet names our own bundle here: old authorities must not live on through it.
  const extra = env.SSL_CERT_FILE;
  if (extra !== undefined && extra !== "" && extra !== paths.bundle)
    for (const each of await certificatesIn(extra)) certificates.add(each);
  const own = certificatesOf(authority.certificatePem)[0] ?? authority.certificatePem;
  certificates.delete(own);
  const text = `${[...certificates, own].join("\n")}\n`;
  if ((await readFile(paths.bundle, "utf8").catch(() => "")) === text) return;
  await writeFileAtomic(paths.bundle, text, 0o644);
}

/** The roots that this system trusts, one PEM block each, in the system's order. */
export async function systemRoots(): Promise<readonly string[]> {
  if (process.platform === "darwin") {
    const keychain = tls.getCACertificates("system");
    if (keychain.length > 0) return keychain.flatMap(certificatesOf);
  }
  for (const path of SYSTEM_BUNDLES) {
    const found = await certificatesIn(path);
    if (found.length > 0) return found;
  }
  return tls.rootCertificates.flatMap(certificatesOf);
}

async function certificatesIn(path: string): Promise<readonly string[]> {
  return certificatesOf(await readFile(path, "latin1").catch(() => ""));
}

/** The certificate blocks of a text, spelled alike: comments, odd line lengths and CRs left out. */
function certificatesOf(text: string): readonly string[] {
  const blocks = text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g);
  return [...blocks].map(([, body = ""]) => {
    const lines = body.replace(/\s+/g, "").match(/.{1,64}/g) ?? [];
    return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----`;
  });
}
