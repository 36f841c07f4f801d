// The places where this machine keeps its trust, as the rest of the program sees them: a list of
// places, each of which can be asked, told to trust the CA and told to forget it. Only ever touches
// certificates that are iddio's own by name.

import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { UserError } from "../../model/user-error.ts";
import type { Environment } from "../process/environment.ts";
import { toolPlatform } from "../process/system-tool.ts";
import { CA_NAME_PREFIX } from "./ca-name.ts";
import { KeychainTrust } from "./darwin.ts";
import { anchorTrust } from "./linux.ts";
import { nssTrusts } from "./nss.ts";

/** The certificate to trust. */
export interface TrustedCertificate {
  /** Absolute path of the PEM file. */
  readonly path: string;
  readonly pem: string;
  /** Common name, which no other authority has. */
  readonly name: string;
}

/** Tells a person about the coming question. */
export type Say = (line: string) => void;

/** One place that says whom programs trust. */
export interface TrustPlace {
  /** The place's name for people, with its path where there are several. */
  readonly name: string;
  /** Whether browsers look there and nothing else does. */
  readonly isBrowser: boolean;
  isTrusted(certificate: TrustedCertificate): Promise<boolean>;
  /** Throws a `UserError` that says what to type by hand. */
  trust(certificate: TrustedCertificate, say?: Say): Promise<void>;
  /** Takes every certificate of an iddio authority away, also of earlier ones. Whether there was any. */
  untrust(certificate: TrustedCertificate | undefined, say?: Say): Promise<boolean>;
}

/** The surroundings in which the places are searched. */
export interface TrustOptions {
  readonly env: Environment;
  readonly platform?: NodeJS.Platform;
  /** The root of the file system; another one in tests. */
  readonly root?: string;
}

/** The places of this machine, the system's own first. */
export async function trustPlaces(options: TrustOptions): Promise<readonly TrustPlace[]> {
  const platform = options.platform ?? toolPlatform(options.env);
  const system = platform === "darwin" ? new KeychainTrust(options.env) : anchorTrust(options);
  return [...(system === undefined ? [] : [system]), ...(await nssTrusts(options.env, platform))];
}

/** Reads the certificate to trust. Throws a `UserError` when there is none or it is not an iddio authority's. */
export async function readCertificate(path: string): Promise<TrustedCertificate> {
  const pem = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new UserError(`cannot read the CA certificate '${path}'`, {
      hint: "make it: iddio install",
      cause,
    });
  });
  let subject: string;
  try {
    subject = new X509Certificate(pem).subject;
  } catch (cause) {
    throw new UserError(`'${path}' is not a certificate`, { hint: "see: iddio doctor", cause });
  }
  const name = /^CN=(.*)$/m.exec(subject)?.[1] ?? "";
  if (!name.startsWith(CA_NAME_PREFIX))
    throw new UserError(`'${path}' is the certificate of '${name}', not of an iddio authority`, {
      hint: "see: iddio ca info",
    });
  return { path, pem, name };
}
