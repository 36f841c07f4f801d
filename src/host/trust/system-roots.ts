// The roots that this system trusts, for upstreams and for the bundle. Every system trusts more
// than a hundred; an answer with fewer than fifty means that its store could not be read, and on
// macOS the next place is asked then.

import { readFile } from "node:fs/promises";
import * as tls from "node:tls";
import { FEWEST_ROOTS, isCollapse } from "../../model/root-count.ts";
import { pemCertificates } from "../../text/pem-certificates.ts";
import type { Environment } from "../process/environment.ts";
import { toolPlatform } from "../process/system-tool.ts";
import { appleRoots, localAuthorities } from "./keychain-roots.ts";

/** Where systems keep their roots, in the order of Go's crypto/x509 with the BSDs' and macOS's place last. */
const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
] as const;

/** The surroundings in which the roots are searched. */
export interface RootOptions {
  readonly env: Environment;
  readonly platform?: NodeJS.Platform;
  /** Files with roots, best first; others in tests. */
  readonly bundles?: readonly string[];
  /** The bundle that was written last: its built-in roots are not given up when the system's shrinks. */
  readonly kept?: string;
  /** Told when the system's store has collapsed, with how many roots are left in it; those of `kept` still count then. */
  readonly onCollapse?: (left: number) => void;
}

/** The roots that this system trusts, one PEM block each, in the system's order. */
export async function systemRoots(options: RootOptions): Promise<readonly string[]> {
  const { env, platform = toolPlatform(env) } = options;
  if (platform === "darwin") {
    // Not the runtime's own call: it sees none of Apple's roots, has no time-out and is cached for the whole process.
    const [apple, local] = await Promise.all([appleRoots(env), localAuthorities(env)]);
    const system = apple.length >= FEWEST_ROOTS ? apple : await enoughOf(["/etc/ssl/cert.pem"], options);
    return [...new Set([...system, ...local])];
  }
  const found = await firstOf(options.bundles ?? SYSTEM_BUNDLES);
  if (found.length === 0) return builtIn();
  return found.length >= FEWEST_ROOTS
    ? found
    : [...new Set([...found, ...(await keptRoots(options, found))])];
}

async function firstOf(paths: readonly string[]): Promise<readonly string[]> {
  for (const path of paths) {
    const found = await certificatesIn(path);
    if (found.length > 0) return found;
  }
  return [];
}

async function enoughOf(paths: readonly string[], { bundles }: RootOptions): Promise<readonly string[]> {
  for (const path of bundles ?? paths) {
    const found = await certificatesIn(path);
    if (found.length >= FEWEST_ROOTS) return found;
  }
  return builtIn();
}

/** Only what Mozilla trusts too: the bundle is the user's file, and anyone who writes to it must not become a root. */
async function keptRoots(
  { kept, onCollapse }: RootOptions,
  found: readonly string[],
): Promise<readonly string[]> {
  const before = kept === undefined ? [] : await certificatesIn(kept);
  if (!isCollapse(before.length, found.length)) return [];
  const held = new Set(before);
  onCollapse?.(found.length);
  return builtIn().filter((root) => held.has(root));
}

function builtIn(): readonly string[] {
  return tls.rootCertificates.flatMap(pemCertificates);
}

async function certificatesIn(path: string): Promise<readonly string[]> {
  return pemCertificates(await readFile(path, "latin1").catch(() => ""));
}
