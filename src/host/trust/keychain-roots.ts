// The roots of macOS by `security`: Apple's own from the root keychain, and the authorities that an administrator or
// the user trusts. An authority in a keychain is not trusted for being there: each is verified, and so is every root of
// Apple's about which somebody made a setting that denies it. Each child process is bounded; one that fails adds nothing.

import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { pemCertificates } from "../../text/pem-certificates.ts";
import type { Environment } from "../process/environment.ts";
import { runTool } from "../process/run-tool.ts";

/** Part of every iddio authority's name; see `CA_NAME_PREFIX`. */
const OWN = "iddio dev CA";
const APPLE = "/System/Library/Keychains/SystemRootCertificates.keychain";
const SYSTEM = "/Library/Keychains/System.keychain";
const LIST_MS = 10_000;
const VERIFY_MS = 5_000;
/** More local authorities than this are not looked at: each costs a process. */
const LOCAL_MAX = 64;
const AT_ONCE = 4;

/** The keychain of the user's own certificates. */
export function loginKeychain(env: Environment): string {
  return join(env.HOME || homedir(), "Library/Keychains/login.keychain-db");
}

/** The roots that come with macOS, without those that somebody set to "Never Trust". Empty when they cannot be read. */
export async function appleRoots(env: Environment): Promise<readonly string[]> {
  const [roots, denied] = await Promise.all([certificatesOf(APPLE, env), deniedNames(env)]);
  if (denied.size === 0) return roots;
  const isDoubted = (pem: string) => namesOf(pem).some((name) => denied.has(name));
  const doubted = roots.filter(isDoubted);
  const cleared = new Set(await verified(doubted, env));
  return roots.filter((pem) => cleared.has(pem) || !isDoubted(pem));
}

/** Self-issued authorities of the System and the login keychain that macOS trusts for TLS; never iddio's own. */
export async function localAuthorities(env: Environment): Promise<readonly string[]> {
  const keychains = [SYSTEM, loginKeychain(env)];
  const found = (await Promise.all(keychains.map((each) => certificatesOf(each, env)))).flat();
  const candidates = [...new Set(found)].filter(isForeignRoot).slice(0, LOCAL_MAX);
  return verified(candidates, env);
}

/** The names of certificates with a setting that denies, from the text of `security dump-trust-settings`. */
export function parseDenied(text: string): readonly string[] {
  const denied: string[] = [];
  let name: string | undefined;
  for (const line of text.split("\n")) {
    name = /^Cert \d+: (.*?)\s*$/.exec(line)?.[1] ?? name;
    if (name !== undefined && /^\s*Result Type\s*:\s*kSecTrustSettingsResultDeny\b/.test(line))
      denied.push(name);
  }
  return denied;
}

async function deniedNames(env: Environment): Promise<ReadonlySet<string>> {
  const dumps = await Promise.all(
    [[], ["-d"]].map((domain) =>
      runTool(["security", "dump-trust-settings", ...domain], { env, timeoutMs: LIST_MS }),
    ),
  );
  return new Set(dumps.flatMap(({ stdout }) => parseDenied(stdout)));
}

async function certificatesOf(keychain: string, env: Environment): Promise<readonly string[]> {
  const { stdout } = await runTool(["security", "find-certificate", "-a", "-p", keychain], {
    env,
    timeoutMs: LIST_MS,
  });
  return pemCertificates(stdout);
}

function isForeignRoot(pem: string): boolean {
  try {
    const { ca, subject, issuer } = new X509Certificate(pem);
    return ca && subject === issuer && !subject.includes(OWN);
  } catch {
    return false;
  }
}

/** Every value of the subject: `security` shows the common name, or the organisation where there is none. */
function namesOf(pem: string): readonly string[] {
  try {
    return new X509Certificate(pem).subject.split("\n").map((part) => part.slice(part.indexOf("=") + 1));
  } catch {
    return [];
  }
}

/** Those that `security verify-cert` accepts for TLS from what is on this machine alone. */
async function verified(candidates: readonly string[], env: Environment): Promise<readonly string[]> {
  if (candidates.length === 0) return [];
  const folder = await mkdtemp(join(tmpdir(), "iddio-roots-"));
  const accepted = new Set<string>();
  const queue = [...candidates.entries()];
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, pem] = next;
      const file = join(folder, `${index}.pem`);
      await writeFile(file, `${pem}\n`, { mode: 0o600 });
      const argv = ["security", "verify-cert", "-l", "-L", "-R", "offline", "-p", "ssl", "-c", file];
      if ((await runTool(argv, { env, timeoutMs: VERIFY_MS })).code === 0) accepted.add(pem);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return candidates.filter((pem) => accepted.has(pem));
}
