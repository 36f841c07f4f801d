// The server's own secret: the values that it seals (signing keys and the secret of the identity
// provider) are of no use to a thief of the database alone. AES-256-GCM; the name of the place is
// sealed with the value, so that nothing can be moved.

import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { UserError } from "../model/user-error.ts";
import { errorCode, writeFileAtomic } from "../state/files.ts";

const KEY_BYTES = 32;

/** Seals and opens. */
export class Sealer {
  readonly #key: Buffer;

  constructor(secret: Uint8Array) {
    if (secret.length < KEY_BYTES) throw new Error("the server's secret is shorter than 32 bytes");
    this.#key = Buffer.from(hkdfSync("sha256", secret, "", "iddio server seal v1", KEY_BYTES));
  }

  /** Seals a text for one place, such as `tenant/keys/id`. */
  seal(place: string, text: string): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#key, iv).setAAD(Buffer.from(place));
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64");
  }

  /** Throws when it was not sealed with this secret for this place. */
  open(place: string, sealed: string): string {
    const octets = Buffer.from(sealed, "base64");
    const decipher = createDecipheriv("aes-256-gcm", this.#key, octets.subarray(0, 12))
      .setAAD(Buffer.from(place))
      .setAuthTag(octets.subarray(12, 28));
    return Buffer.concat([decipher.update(octets.subarray(28)), decipher.final()]).toString("utf8");
  }
}

/** The secret in a file, base64; made, 0600, when the file is not there and may be. */
export async function readSecret(path: string, mayCreate: boolean): Promise<Uint8Array> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (errorCode(error) === "ENOENT" && mayCreate) return undefined;
    throw error;
  });
  if (text === undefined) {
    const secret = randomBytes(KEY_BYTES);
    await writeFileAtomic(path, `${secret.toString("base64")}\n`, 0o600);
    return secret;
  }
  const secret = Buffer.from(text.trim(), "base64");
  if (secret.length < KEY_BYTES)
    throw new UserError(`'${path}' holds no secret of 32 bytes`, {
      hint: `openssl rand -base64 32 > ${path}`,
    });
  return secret;
}

/** Hashes a token for storage: the hash recognises the token and cannot be used in its place. */
export function hashOfSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** A new id: `dev_` and sixteen hex digits. */
export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(8).toString("hex")}`;
}

/** A new secret of 256 bits that can be typed into a URL. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** A token that says whose it is: `idat_<tenant>_<secret>`. The tenant is no secret. */
export function writeToken(prefix: string, tenant: string, secret: string): string {
  return `${prefix}_${tenant}_${secret}`;
}

/** The tenant and the secret of a token; undefined when it is none of this kind. */
export function readToken(
  prefix: string,
  token: string,
): { readonly tenant: string; readonly secret: string } | undefined {
  const match = /^([a-z]+)_([0-9a-f]{16})_([\w-]{20,100})$/.exec(token);
  return match?.[1] === prefix && match[2] !== undefined && match[3] !== undefined
    ? { tenant: match[2], secret: match[3] }
    : undefined;
}
