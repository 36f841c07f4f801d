// Checkpoints of the audit log's chain: a row that says, signed, how long the chain was and how it
// ended. Anyone who has an old checkpoint, such as a collector that rows are forwarded to, can tell
// whether the log before it is still the same.

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { readFile } from "node:fs/promises";
import { errorCode, writeFileAtomic } from "../../state/files.ts";
import type { ChainHead } from "../../state/journal/chain.ts";

/** The `fields` of a checkpoint row. */
export interface Checkpoint {
  readonly chain_seq: number;
  readonly chain_head: string;
  /** Ed25519, DER in base64. */
  readonly public_key: string;
  /** Ed25519 over `signedText`, in base64. */
  readonly signature: string;
}

/** The command of checkpoint rows. */
export const CHECKPOINT = "audit checkpoint";

/** Signs the end of a chain. */
export function signCheckpoint({ seq, hash }: ChainHead, key: KeyObject): Checkpoint {
  return {
    chain_seq: seq,
    chain_head: hash,
    public_key: publicKeyText(key),
    signature: sign(null, signedText(seq, hash), key).toString("base64"),
  };
}

/** Whether the signature is that of the key in the checkpoint. */
export function isCheckpointSigned({ chain_seq, chain_head, public_key, signature }: Checkpoint): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(public_key, "base64"), format: "der", type: "spki" });
    if (key.asymmetricKeyType !== "ed25519") return false;
    return verify(null, signedText(chain_seq, chain_head), key, Buffer.from(signature, "base64"));
  } catch {
    return false;
  }
}

/** The public half as checkpoints carry it. */
export function publicKeyText(key: KeyObject): string {
  return createPublicKey(key).export({ format: "der", type: "spki" }).toString("base64");
}

/** The key of this machine; made, 0600, when it is not there. Throws when the file holds no Ed25519 key. */
export async function openAuditKey(path: string): Promise<KeyObject> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) {
    const { privateKey } = generateKeyPairSync("ed25519");
    await writeFileAtomic(path, privateKey.export({ format: "pem", type: "pkcs8" }).toString(), 0o600);
    return privateKey;
  }
  const key = createPrivateKey(text);
  if (key.asymmetricKeyType !== "ed25519") throw new Error(`'${path}' is not an Ed25519 key`);
  return key;
}

function signedText(seq: number, hash: string): Buffer {
  return Buffer.from(`iddio audit checkpoint v1\n${seq}\n${hash}\n`);
}
