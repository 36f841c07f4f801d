// The key that clients see in place of every inspected host's, made once. It is trusted only for
// the hosts of the policy's `ssh` block, by a known-hosts file of our own.

import { generateKeyPairSync } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../state/files.ts";

/** The key as files hold it. */
export interface HostKey {
  /** An OpenSSH private key. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
}

/** Reads the key of this folder, making it when there is none. */
export async function hostKeyOf(folder: string): Promise<HostKey> {
  const path = join(folder, "host_key");
  const known = await readFile(path, "utf8").catch(() => undefined);
  const publicKey = await readFile(`${path}.pub`, "utf8").catch(() => undefined);
  if (known !== undefined && publicKey !== undefined)
    return { privateKey: known, publicKey: publicKey.trim() };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const made = makeHostKey();
  await writeFileAtomic(path, made.privateKey, 0o600);
  await writeFileAtomic(`${path}.pub`, `${made.publicKey} iddio\n`, 0o644);
  return made;
}

const TYPE = Buffer.from("ssh-ed25519");

/** An Ed25519 key in OpenSSH's own format (PROTOCOL.key), without a passphrase. */
export function makeHostKey(): HostKey {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { d = "", x = "" } = privateKey.export({ format: "jwk" });
  const [secret, open] = [Buffer.from(d, "base64url"), Buffer.from(x, "base64url")];
  const blob = Buffer.concat([framed(TYPE), framed(open)]);
  const check = Buffer.from(open.subarray(0, 4));
  const inner = [
    check,
    check,
    framed(TYPE),
    framed(open),
    framed(Buffer.concat([secret, open])),
    framed(Buffer.from("iddio")),
  ];
  const length = inner.reduce((sum, part) => sum + part.length, 0);
  const padding = Buffer.from(Array.from({ length: (8 - (length % 8)) % 8 }, (_, index) => index + 1));
  const none = framed(Buffer.from("none"));
  const whole = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    none,
    none,
    framed(Buffer.alloc(0)),
    Buffer.from([0, 0, 0, 1]),
    framed(blob),
    framed(Buffer.concat([...inner, padding])),
  ]);
  const lines = whole.toString("base64").replace(/.{70}/g, "$&\n");
  return {
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`,
    publicKey: `ssh-ed25519 ${blob.toString("base64")}`,
  };
}

function framed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
