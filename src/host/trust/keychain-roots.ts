// The roots of macOS by `security`: Apple's own from the root keychain without those that somebody
// denied, and the authorities that an administrator or the user trusts. One of these is not trusted
// for being in a keychain: each is verified. Apple's own are not, because `verify-cert` accepts
// none of them for TLS (Homebrew's ca-certificates met that). Each child process is bounded; one
// that fails adds nothing.

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
/** For all of them: macOS's trustd may hang, and the daemon must be up before its start counts as failed. */
const VERIFY_ALL_MS = 12_000;
/** More local authorities than this are not looked at: each costs a process. */
const LOCAL_MAX = 64;
const AT_ONCE = 4;

/** The keychain of the user's own certificates. */
export function loginKeychain(env: Environment): string {
  return join(env.HOME || homedir(), "Library/Keychains/login.keychain-db");
}

/** The roots that come with macOS, without those that somebody set to "Never Trust". Empty when they cannot be read. */
export async function appleRoots(env: Environment): Promise<readonly string[]> {
  const [roots, ofUser, ofAdmin] = await Promise.all([
    certificatesOf(APPLE, env),
    deniedIn([], env),
    deniedIn(["-d"], env),
  ]);
  return roots.filter((pem) => ![ofUser, ofAdmin].some((denied) => denied.has(pem)));
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

/** The SHA-1 fingerprints with a setting that denies, from the property list of `security trust-settings-export`. */
export function parseDeniedFingerprints(plist: string): readonly string[] {
  const [, ...entries] = plist.split(/<key>(?=[0-9A-Fa-f]{40}<\/key>)/);
  return entries
    .filter((entry) => /<key>kSecTrustSettingsResult<\/key>\s*<integer>3<\/integer>/.test(entry))
    .map((entry) => entry.slice(0, 40).toUpperCase());
}

interface Denied {
  has(pem: string): boolean;
}

/**
 * The roots that one trust domain denies. Several roots share a name ("GlobalSign"), so where a name is
 * denied the fingerprints are compared too; without fingerprints, every root of that name counts as denied.
 */
async function deniedIn(domain: readonly string[], env: Environment): Promise<Denied> {
  const argv = ["security", "dump-trust-settings", ...domain];
  const names = new Set(parseDenied((await runTool(argv, { env, timeoutMs: LIST_MS })).stdout));
  const fingerprints = names.size === 0 ? [] : parseDeniedFingerprints(await exported(domain, env));
  if (fingerprints.length > 0) return { has: (pem) => fingerprints.includes(fingerprintOf(pem)) };
  return { has: (pem) => names.size > 0 && namesOf(pem).some((name) => names.has(name)) };
}

/** The trust settings of a domain as an XML property list; empty when they cannot be had. */
async function exported(domain: readonly string[], env: Environment): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "iddio-denied-"));
  const file = join(folder, "settings.plist");
  try {
    const argv = ["security", "trust-settings-export", ...domain, file];
    if ((await runTool(argv, { env, timeoutMs: LIST_MS })).code !== 0) return "";
    const toXml = ["plutil", "-convert", "xml1", "-o", "-", file];
    const { code, stdout } = await runTool(toXml, { env, timeoutMs: LIST_MS });
    return code === 0 ? stdout : "";
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
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

/** SHA-1, by which macOS tells certificates apart; upper-case hex. */
function fingerprintOf(pem: string): string {
  try {
    return new X509Certificate(pem).fingerprint.replaceAll(":", "");
  } catch {
    return "";
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

/** Those that `security verify-cert` accepts for TLS from this machine's files alone. */
async function verified(candidates: readonly string[], env: Environment): Promise<readonly string[]> {
  if (candidates.length === 0) return [];
  const folder = await mkdtemp(join(tmpdir(), "iddio-roots-"));
  const accepted = new Set<string>();
  const untilMs = performance.now() + VERIFY_ALL_MS;
  const queue = [...candidates.entries()];
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, pem] = next;
      const timeoutMs = Math.min(VERIFY_MS, untilMs - performance.now());
      if (timeoutMs <= 0) return;
      const file = join(folder, `${index}.pem`);
      await writeFile(file, `${pem}\n`, { mode: 0o600 });
      const argv = ["security", "verify-cert", "-l", "-L", "-R", "offline", "-p", "ssl", "-c", file];
      if ((await runTool(argv, { env, timeoutMs })).code === 0) accepted.add(pem);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return candidates.filter((pem) => accepted.has(pem));
}
