// The system keychain of macOS, by `security`. Trust has two halves there, the certificate in the keychain and the
// trust settings about it; both are made and both are taken away, also where only one was left behind.

import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../process/environment.ts";
import { runTool } from "../process/run-tool.ts";
import { asRoot } from "./as-root.ts";
import { CA_NAME_PREFIX, type TrustedCertificate, type TrustPlace } from "./trust.ts";

const KEYCHAIN = "/Library/Keychains/System.keychain";

/** See `TrustPlace`. */
export class KeychainTrust implements TrustPlace {
  readonly name = "the system keychain";
  readonly isBrowser = false;
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  async isTrusted({ path }: TrustedCertificate): Promise<boolean> {
    // -l: a CA is no leaf; -L: from what is on this machine only.
    const result = await runTool(["security", "verify-cert", "-c", path, "-l", "-L", "-p", "ssl"], {
      env: this.#env,
    });
    return result.code === 0;
  }

  async trust({ path }: TrustedCertificate): Promise<void> {
    await asRoot(
      ["security", "add-trusted-cert", "-d", "-r", "trustRoot", "-p", "ssl", "-k", KEYCHAIN, path],
      this.#env,
    );
  }

  async untrust(certificate: TrustedCertificate | undefined): Promise<boolean> {
    const found = await runTool(
      ["security", "find-certificate", "-a", "-c", CA_NAME_PREFIX, "-p", KEYCHAIN],
      {
        env: this.#env,
      },
    );
    const inKeychain = found.stdout.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    const folder = await mkdtemp(join(tmpdir(), "iddio-untrust-"));
    let isAny = false;
    try {
      for (const [index, pem] of inKeychain.entries()) {
        const file = join(folder, `${index}.pem`);
        await writeFile(file, `${pem}\n`, { mode: 0o600 });
        isAny = (await this.#removeSettings(file)) || isAny;
        await asRoot(["security", "delete-certificate", "-Z", sha1Of(pem), KEYCHAIN], this.#env);
        isAny = true;
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    // Settings about a certificate that is in no keychain any more are found only by the certificate itself.
    if (certificate !== undefined && inKeychain.length === 0)
      isAny = (await this.#removeSettings(certificate.path)) || isAny;
    return isAny;
  }

  /** Whether there were settings; that there are none is no failure. */
  async #removeSettings(path: string): Promise<boolean> {
    return asRoot(["security", "remove-trusted-cert", "-d", path], this.#env).then(
      () => true,
      () => false,
    );
  }
}

function sha1Of(pem: string): string {
  const der = Buffer.from(pem.replace(/-----[^-]+-----/g, "").replace(/\s+/g, ""), "base64");
  return createHash("sha1").update(der).digest("hex").toUpperCase();
}
