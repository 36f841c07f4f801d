// The key that clients see in place of every inspected host's, and the authority that signs it for
// the names of one host at a time. Both are made once, and trusted only for the hosts of the
// policy's `ssh` block, by a known-hosts file of our own: the authority by every client that knows
// certificates, the key by the others.

import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../state/files.ts";

/** Of a system's installation everybody may read the configuration by its name; the keys are files of mode 0600. */
export const SSH_FOLDER_MODE = 0o711;

/** The key as files hold it. */
export interface HostKey {
  /** An OpenSSH private key. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
}

/** Reads the key of this folder, making it when there is none. */
export function hostKeyOf(folder: string): Promise<HostKey> {
  return keyOf(folder, "host_key");
}

/** The same for the authority. */
export function authorityOf(folder: string): Promise<HostKey> {
  return keyOf(folder, "authority");
}

async function keyOf(folder: string, name: string): Promise<HostKey> {
  const path = join(folder, name);
  const known = await readFile(path, "utf8").catch(() => undefined);
  const publicKey = await readFile(`${path}.pub`, "utf8").catch(() => undefined);
  if (known !== undefined && publicKey !== undefined)
    return { privateKey: known, publicKey: publicKey.trim() };
  await mkdir(folder, { recursive: true, mode: SSH_FOLDER_MODE });
  const made = makeHostKey();
  await writeFileAtomic(path, made.privateKey, 0o600);
  await writeFileAtomic(`${path}.pub`, `${made.publicKey} iddio\n`, 0o644);
  return made;
}

/** Types of keys as SSH names them. */
export const KEY_TYPE = "ssh-ed25519";
/** A key with a certificate around it. */
export const CERTIFICATE_TYPE = "ssh-ed25519-cert-v01@openssh.com";
const TYPE = Buffer.from(KEY_TYPE);

/** The clock of a client on this machine is ours; a session may last, and makes new keys as it does. */
const VALID_BEFORE_S = 10 * 60;
const VALID_S = 30 * 24 * 60 * 60;
/** SSH_CERT_TYPE_HOST. */
const FOR_HOST = 2;

/** A certificate for the key of a host under these names (PROTOCOL.certkeys). */
export function certify(key: HostKey, authority: HostKey, names: readonly string[], nowMs: number): Buffer {
  const now = Math.floor(nowMs / 1000);
  const empty = framed(Buffer.alloc(0));
  const signedPart = Buffer.concat([
    framed(Buffer.from(CERTIFICATE_TYPE)),
    framed(randomBytes(32)),
    framed(publicOctets(key)),
    long(0),
    int(FOR_HOST),
    framed(Buffer.from("iddio")),
    framed(Buffer.concat(names.map((each) => framed(Buffer.from(each))))),
    long(now - VALID_BEFORE_S),
    long(now + VALID_S),
    // No critical options, no extensions, nothing reserved.
    empty,
    empty,
    empty,
    framed(blobOf(authority)),
  ]);
  const signature = sign(null, signedPart, privateKeyOf(authority));
  return Buffer.concat([signedPart, framed(Buffer.concat([framed(TYPE), framed(signature)]))]);
}

function blobOf({ publicKey }: HostKey): Buffer {
  return Buffer.from(publicKey.split(" ")[1] ?? "", "base64");
}

/** The 32 octets of the public key, which stand last in its blob. */
function publicOctets(key: HostKey): Buffer {
  return blobOf(key).subarray(-32);
}

/** Our own keys have the 32 octets of the secret right before the last copy of the public ones. */
function privateKeyOf(key: HostKey): ReturnType<typeof createPrivateKey> {
  const whole = Buffer.from(key.privateKey.replace(/-----[^-]+-----|\s/g, ""), "base64");
  const open = publicOctets(key);
  const at = whole.lastIndexOf(open);
  const secret = whole.subarray(at - 32, at);
  return createPrivateKey({
    key: { kty: "OKP", crv: "Ed25519", d: secret.toString("base64url"), x: open.toString("base64url") },
    format: "jwk",
  });
}

function int(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
}

function long(value: number): Buffer {
  const octets = Buffer.alloc(8);
  octets.writeBigUInt64BE(BigInt(value));
  return octets;
}

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
    int(1),
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
  return Buffer.concat([int(bytes.length), bytes]);
}
