// The trust of browsers that keep their own (NSS): Firefox, with a database for each profile, and
// Chromium, with one for each user. Only with `certutil` (libnss3-tools, nss) and only databases
// that are there; a browser that has never run has none.

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../model/user-error.ts";
import type { Environment } from "../process/environment.ts";
import { lastWords, runTool, type ToolResult } from "../process/run-tool.ts";
import { findSystemTool } from "../process/system-tool.ts";
import type { TrustedCertificate, TrustPlace } from "./trust.ts";

const OWN_NICKNAME = /^(iddio dev CA [0-9a-f]{8})\s+\S*,\S*,\S*\s*$/gm;

const CHROMIUM = [".pki/nssdb", "snap/chromium/current/.pki/nssdb"];
const FIREFOX_LINUX = [
  ".mozilla/firefox",
  ".config/mozilla/firefox",
  "snap/firefox/common/.mozilla/firefox",
  ".var/app/org.mozilla.firefox/.mozilla/firefox",
];
const FIREFOX_DARWIN = ["Library/Application Support/Firefox/Profiles"];

/** One place a database; none without `certutil`. */
export async function nssTrusts(env: Environment, platform: NodeJS.Platform): Promise<readonly TrustPlace[]> {
  if (findSystemTool("certutil", env) === undefined) return [];
  const home = env.HOME || homedir();
  const places: TrustPlace[] = [];
  for (const folder of platform === "darwin" ? [] : CHROMIUM) {
    if (hasDatabase(join(home, folder))) places.push(new NssTrust("Chromium", join(home, folder), env));
  }
  for (const folder of platform === "darwin" ? FIREFOX_DARWIN : FIREFOX_LINUX) {
    for (const profile of await readdir(join(home, folder)).catch(() => [])) {
      const path = join(home, folder, profile);
      if (hasDatabase(path)) places.push(new NssTrust("Firefox", path, env));
    }
  }
  return places;
}

function hasDatabase(folder: string): boolean {
  return existsSync(join(folder, "cert9.db"));
}

class NssTrust implements TrustPlace {
  readonly name: string;
  readonly isBrowser = true;
  readonly #folder: string;
  readonly #env: Environment;

  constructor(browser: string, folder: string, env: Environment) {
    this.name = `${browser} (${folder})`;
    this.#folder = folder;
    this.#env = env;
  }

  async isTrusted({ name, pem }: TrustedCertificate): Promise<boolean> {
    const { code, stdout } = await this.#certutil("-L", "-n", name, "-a");
    return code === 0 && squeezed(stdout).includes(squeezed(pem));
  }

  async trust(certificate: TrustedCertificate): Promise<void> {
    // The same nickname twice would be two entries.
    if (await this.isTrusted(certificate)) return;
    const result = await this.#certutil("-A", "-t", "C,,", "-n", certificate.name, "-i", certificate.path);
    if (result.code !== 0)
      throw new UserError(`certutil for ${this.name}: ${lastWords(result)}`, {
        hint: "close the browser and try again",
      });
  }

  async untrust(): Promise<boolean> {
    const { stdout } = await this.#certutil("-L");
    let isAny = false;
    for (const [, name = ""] of stdout.matchAll(OWN_NICKNAME)) {
      const result = await this.#certutil("-D", "-n", name);
      isAny ||= result.code === 0;
    }
    return isAny;
  }

  #certutil(...args: string[]): Promise<ToolResult> {
    return runTool(["certutil", "-d", `sql:${this.#folder}`, ...args], { env: this.#env });
  }
}

function squeezed(pem: string): string {
  return pem.replace(/\s+/g, "");
}
