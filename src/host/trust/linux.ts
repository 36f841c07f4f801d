// The system-wide trust of Linux: a folder of anchors and the program that makes bundles of them.
// Four families of distributions; the folder that is there tells which.

import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../process/environment.ts";
import { asRoot } from "./as-root.ts";
import type { TrustedCertificate, TrustOptions, TrustPlace } from "./trust.ts";

interface Family {
  readonly name: string;
  readonly folder: string;
  readonly file: string;
  readonly update: readonly string[];
  /** The bundles that `update` writes; at least one of them exists. */
  readonly bundles: readonly string[];
}

const FAMILIES: readonly Family[] = [
  {
    name: "the system's certificates (RHEL, Fedora)",
    folder: "etc/pki/ca-trust/source/anchors",
    file: "iddio-dev-ca.crt",
    update: ["update-ca-trust", "extract"],
    bundles: ["etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"],
  },
  {
    name: "the system's certificates (Debian, Ubuntu)",
    folder: "usr/local/share/ca-certificates",
    file: "iddio-dev-ca.crt",
    update: ["update-ca-certificates"],
    bundles: ["etc/ssl/certs/ca-certificates.crt"],
  },
  {
    name: "the system's certificates (Arch)",
    folder: "etc/ca-certificates/trust-source/anchors",
    file: "iddio-dev-ca.crt",
    update: ["trust", "extract-compat"],
    bundles: ["etc/ca-certificates/extracted/tls-ca-bundle.pem", "etc/ssl/certs/ca-certificates.crt"],
  },
  {
    name: "the system's certificates (SUSE)",
    folder: "usr/share/pki/trust/anchors",
    file: "iddio-dev-ca.pem",
    update: ["update-ca-certificates"],
    bundles: ["var/lib/ca-certificates/ca-bundle.pem", "etc/ssl/ca-bundle.pem"],
  },
];

/** The place of this distribution, or undefined where none is known. */
export function anchorTrust({ env, root = "/" }: TrustOptions): TrustPlace | undefined {
  const family = FAMILIES.find(({ folder }) => existsSync(join(root, folder)));
  return family && new AnchorTrust(family, root, env);
}

class AnchorTrust implements TrustPlace {
  readonly name: string;
  readonly isBrowser = false;
  readonly #family: Family;
  readonly #root: string;
  readonly #env: Environment;

  constructor(family: Family, root: string, env: Environment) {
    this.name = family.name;
    this.#family = family;
    this.#root = root;
    this.#env = env;
  }

  get #anchor(): string {
    return join(this.#root, this.#family.folder, this.#family.file);
  }

  async isTrusted({ pem }: TrustedCertificate): Promise<boolean> {
    for (const bundle of this.#family.bundles) {
      const text = await readFile(join(this.#root, bundle), "latin1").catch(() => undefined);
      if (text !== undefined) return squeezed(text).includes(squeezed(pem));
    }
    return false;
  }

  async trust({ path }: TrustedCertificate): Promise<void> {
    await asRoot(["install", "-m", "0644", path, this.#anchor], this.#env);
    await asRoot(this.#family.update, this.#env);
  }

  async untrust(): Promise<boolean> {
    if (!existsSync(this.#anchor)) return false;
    // Our own process may be root: then a system call does it without a program.
    if (process.getuid?.() === 0) await rm(this.#anchor);
    else await asRoot(["rm", "-f", this.#anchor], this.#env);
    await asRoot(this.#family.update, this.#env);
    return true;
  }
}

function squeezed(pem: string): string {
  return pem.replace(/\s+/g, "");
}
