// Verifies signatures in minisign's format. Only the kind that minisign makes today (Ed25519 over
// BLAKE2b-512), and the signed comment too: it says which version the files belong to, so that old
// ones cannot be passed off as new.

import { createHash, createPublicKey, verify } from "node:crypto";

/** The comment that was signed along, or why the signature does not count. */
export type MinisignResult = { readonly trustedComment: string } | { readonly problem: string };

const SPKI_ED25519 = Buffer.from("302a300506032b6570032100", "hex");

/** Checks `signature` (a .minisig file) over `content` with the last line of a public key file. Never throws. */
export function verifyMinisign(content: Uint8Array, signature: string, publicKey: string): MinisignResult {
  const key = Buffer.from(publicKey, "base64");
  if (key.length !== 42 || key.toString("latin1", 0, 2) !== "Ed")
    return { problem: "the public key is damaged" };
  const lines = signature.split("\n").map((line) => line.trimEnd());
  const [, encoded = "", comment = "", encodedGlobal = ""] = lines;
  const packet = Buffer.from(encoded, "base64");
  const global = Buffer.from(encodedGlobal, "base64");
  if (packet.length !== 74 || global.length !== 64 || !comment.startsWith("trusted comment: "))
    return { problem: "the signature file is damaged" };
  if (packet.toString("latin1", 0, 2) !== "ED") return { problem: "the signature is of another kind" };
  if (!packet.subarray(2, 10).equals(key.subarray(2, 10)))
    return { problem: "the signature was made with another key" };
  const spki = createPublicKey({
    key: Buffer.concat([SPKI_ED25519, key.subarray(10)]),
    format: "der",
    type: "spki",
  });
  const own = packet.subarray(10);
  const trustedComment = comment.slice("trusted comment: ".length);
  const isContentRight = verify(null, createHash("blake2b512").update(content).digest(), spki, own);
  const isCommentRight = verify(null, Buffer.concat([own, Buffer.from(trustedComment)]), spki, global);
  if (!isContentRight || !isCommentRight) return { problem: "the signature is wrong" };
  return { trustedComment };
}
