// The keychains of macOS, by `security`. Trust has two halves, the certificate in a keychain and
// the trust settings about it; both are made and both are taken away, also where only one was left
// behind. The administrator's trust comes first; where it is not to be had, the user's own does.
// Nothing is asked for that would change nothing.

import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../model/user-error.ts";
import { pemCertificates } from "../../text/pem-certificates.ts";
import type { Environment } from "../process/environment.ts";
import { lastWords, runTool, type ToolResult } from "../process/run-tool.ts";
import { asRoot } from "./as-root.ts";
import { CA_NAME_PREFIX } from "./ca-name.ts";
import { loginKeychain } from "./keychain-roots.ts";
import type { Say, TrustedCertificate, TrustPlace } from "./trust.ts";

const KEYCHAIN = "/Library/Keychains/System.keychain";
/** A window waits for a person, even when root asks. */
const DIALOG_MS = 5 * 60_000;
/** Both: some programs go by the TLS policy alone, others want the basic one as well. */
const POLICIES = ["-p", "ssl", "-p", "basic"];

/** Whether the words of `security` say that nobody is at the screen to answer a window. */
export function isWithoutScreen(words: string): boolean {
  return /no user interaction|interaction is not allowed|-25308|-60007/i.test(words);
}

function isCancelled(words: string): boolean {
  return /cancell?ed|-128\b|-60006/i.test(words);
}

/** See `TrustPlace`. */
export class KeychainTrust implements TrustPlace {
  readonly name = "the keychain";
  readonly isBrowser = false;
  readonly #env: Environment;
  readonly #isRoot: boolean;

  /** `isRoot` is whether this process is root, unless a test says otherwise. */
  constructor(env: Environment, isRoot = process.getuid?.() === 0) {
    this.#env = env;
    this.#isRoot = isRoot;
  }

  async isTrusted({ path }: TrustedCertificate): Promise<boolean> {
    // -l: a CA is no leaf; -L and offline: from this machine's files only.
    const argv = ["verify-cert", "-c", path, "-l", "-L", "-R", "offline", "-p", "ssl"];
    return (await this.#security(argv, 10_000)).code === 0;
  }

  async trust({ path }: TrustedCertificate, say: Say = () => {}): Promise<void> {
    say("macOS will ask for an administrator's password in a window");
    const words = await this.#asRoot([
      "add-trusted-cert",
      "-d",
      "-r",
      "trustRoot",
      ...POLICIES,
      "-k",
      KEYCHAIN,
      path,
    ]).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (words === undefined) return;
    if (this.#isRoot || isCancelled(words) || isWithoutScreen(words)) throw refused(words);
    say(`an administrator's trust is not to be had (${words}); macOS will ask for your own password instead`);
    const keychain = loginKeychain(this.#env);
    const own = await this.#security(
      ["add-trusted-cert", "-r", "trustRoot", ...POLICIES, "-k", keychain, path],
      DIALOG_MS,
    );
    if (own.code !== 0) throw refused(lastWords(own));
  }

  async untrust(certificate: TrustedCertificate | undefined, say: Say = () => {}): Promise<boolean> {
    const [ofAll, ofUser, hasAdminSettings, hasUserSettings] = await Promise.all([
      this.#found(KEYCHAIN),
      this.#found(loginKeychain(this.#env)),
      this.#hasSettings("-d"),
      this.#hasSettings(),
    ]);
    if (ofAll.length + ofUser.length === 0 && !hasAdminSettings && !hasUserSettings) return false;
    if (ofAll.length > 0 || hasAdminSettings)
      say("macOS will ask for an administrator's password, twice for each certificate");
    // Settings about a certificate that is in no keychain any more are found only by the certificate itself.
    const left = certificate === undefined ? [] : [certificate.pem];
    const folder = await mkdtemp(join(tmpdir(), "iddio-untrust-"));
    try {
      let isAny = false;
      for (const [index, pem] of (ofAll.length > 0 ? ofAll : left).entries()) {
        const file = join(folder, `all-${index}.pem`);
        await writeFile(file, `${pem}\n`, { mode: 0o600 });
        if (hasAdminSettings) isAny = (await this.#tried(["remove-trusted-cert", "-d", file])) || isAny;
        if (ofAll.length === 0) continue;
        await this.#asRoot(["delete-certificate", "-Z", sha1Of(pem), KEYCHAIN]);
        isAny = true;
      }
      for (const [index, pem] of (ofUser.length > 0 ? ofUser : left).entries()) {
        const file = join(folder, `user-${index}.pem`);
        await writeFile(file, `${pem}\n`, { mode: 0o600 });
        if (hasUserSettings)
          isAny = (await this.#security(["remove-trusted-cert", file], DIALOG_MS)).code === 0 || isAny;
        if (ofUser.length === 0) continue;
        const argv = ["delete-certificate", "-Z", sha1Of(pem), loginKeychain(this.#env)];
        isAny = (await this.#security(argv, DIALOG_MS)).code === 0 || isAny;
      }
      return isAny;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #found(keychain: string): Promise<readonly string[]> {
    const argv = ["find-certificate", "-a", "-c", CA_NAME_PREFIX, "-p", keychain];
    return pemCertificates((await this.#security(argv, 10_000)).stdout);
  }

  /** Needs no rights. */
  async #hasSettings(...domain: readonly string[]): Promise<boolean> {
    const { stdout } = await this.#security(["dump-trust-settings", ...domain], 10_000);
    return stdout.includes(CA_NAME_PREFIX);
  }

  /** Whether it could be done; having nothing to do is no failure. */
  #tried(argv: readonly string[]): Promise<boolean> {
    return this.#asRoot(argv).then(
      () => true,
      () => false,
    );
  }

  #asRoot(argv: readonly string[]): Promise<ToolResult> {
    return asRoot(["security", ...argv], this.#env, { timeoutMs: DIALOG_MS });
  }

  #security(argv: readonly string[], timeoutMs: number): Promise<ToolResult> {
    return runTool(["security", ...argv], { env: this.#env, timeoutMs });
  }
}

function refused(words: string): UserError {
  return new UserError(`the keychain does not take the CA: ${words}`, {
    hint: isWithoutScreen(words)
      ? "nobody is at the screen of this Mac: type iddio repair --trust-ca there, or install the CA by an MDM profile; only Go programs built before 1.27 and browsers need it"
      : "try again with iddio repair --trust-ca, or leave it: only Go programs built before 1.27 and browsers need it",
  });
}

function sha1Of(pem: string): string {
  const der = Buffer.from(pem.replace(/-----[^-]+-----/g, "").replace(/\s+/g, ""), "base64");
  return createHash("sha1").update(der).digest("hex").toUpperCase();
}
