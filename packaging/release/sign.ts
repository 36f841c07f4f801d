// Signatures in minisign's format (Ed25519 over BLAKE2b-512), so that `minisign -V` and iddio's own updater both read
// them. The private half comes from outside as a PKCS #8 PEM and is never written anywhere by this program.

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** A key pair as files hold it. */
export interface ReleaseKeys {
  /** minisign's public key file. */
  readonly publicKey: string;
  /** PKCS #8 PEM. */
  readonly privateKey: string;
}

/** A new pair; for tests, and for `bun build.ts --new-key`. */
export function newReleaseKeys(): ReleaseKeys {
  const { privateKey } = generateKeyPairSync("ed25519");
  return {
    publicKey: publicKeyFile(privateKey),
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}

/** The file that `minisign -V -p` reads, for a private key. */
export function publicKeyFile(privateKey: KeyObject | string): string {
  const { id, bytes } = publicHalf(privateKey);
  const line = Buffer.concat([Buffer.from("Ed"), id, bytes]).toString("base64");
  return `untrusted comment: iddio release key ${Buffer.from(id).reverse().toString("hex").toUpperCase()}\n${line}\n`;
}

/** The signature file of some bytes. The trusted comment is signed too, and says which version this is about. */
export function minisign(content: Uint8Array, privateKey: string, trustedComment: string): string {
  const key = createPrivateKey(privateKey);
  const { id } = publicHalf(key);
  const signature = sign(null, createHash("blake2b512").update(content).digest(), key);
  const global = sign(null, Buffer.concat([signature, Buffer.from(trustedComment)]), key);
  return [
    "untrusted comment: signature of an iddio release",
    Buffer.concat([Buffer.from("ED"), id, signature]).toString("base64"),
    `trusted comment: ${trustedComment}`,
    global.toString("base64"),
    "",
  ].join("\n");
}

function publicHalf(privateKey: KeyObject | string): { readonly id: Buffer; readonly bytes: Buffer } {
  const key = typeof privateKey === "string" ? createPrivateKey(privateKey) : privateKey;
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const bytes = spki.subarray(spki.length - 32);
  // minisign draws the id at random; ours is the key's own, so that the same key always has the same.
  return { id: createHash("sha256").update(bytes).digest().subarray(0, 8), bytes };
}
