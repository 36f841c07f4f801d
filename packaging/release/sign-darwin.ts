// An ad-hoc code signature for the Mach-O binaries, as `codesign -s -` writes one. Bun signs arm64 only and leaves
// x64 with the runtime's own signature, broken and in its maker's name. Deterministic: no time, no certificate, so
// that a release stays reproducible. Format: Apple's cs_blobs.h, CodeDirectory version 0x20400.

import { createHash } from "node:crypto";

/** Identifier in the signature; macOS shows it where it names the program. */
export const DARWIN_IDENTIFIER = "dev.iddio.cli";

const PAGE = 4096;
const HASH_SIZE = 32;
const CODE_DIRECTORY_SIZE = 88;
const SEGMENT_64 = 0x19;
const UUID = 0x1b;
const CODE_SIGNATURE = 0x1d;
const ADHOC = 0x2;
const MAIN_BINARY = 1n;
const SPECIAL_SLOTS = 2;

interface Layout {
  /** Where each load command begins in the file. */
  readonly uuid: number;
  readonly codeSignature: number;
  readonly text: number;
  readonly linkEdit: number;
}

/** The same program with its own signature and UUID; `target` tells the binaries of the processors apart. Throws on what is no thin 64-bit Mach-O. */
export function signDarwin(binary: Uint8Array, target: string): Uint8Array {
  const input = Buffer.from(binary);
  const { uuid, codeSignature, text, linkEdit } = layoutOf(input);
  const dataOffset = input.readUInt32LE(codeSignature + 8);
  if (dataOffset > input.length) throw new Error("the Mach-O file's code signature lies outside the file");
  const pages = Math.ceil(dataOffset / PAGE);
  const identifier = Buffer.from(`${DARWIN_IDENTIFIER}\0`);
  const signatureSize = superBlobSize(identifier.length, pages);
  const signed = Buffer.alloc(dataOffset + Math.ceil(signatureSize / 16) * 16);
  input.copy(signed, 0, 0, dataOffset);

  // macOS tells programs without a bundle apart by this, for example for its local-network permission.
  createHash("sha256").update(`${DARWIN_IDENTIFIER} ${target}`).digest().copy(signed, uuid + 8, 0, 16);
  signed.writeUInt32LE(signed.length - dataOffset, codeSignature + 12);
  const linkEditSize = BigInt(signed.length) - signed.readBigUInt64LE(linkEdit + 40);
  signed.writeBigUInt64LE(linkEditSize, linkEdit + 48);
  signed.writeBigUInt64LE(((linkEditSize + 0x3fffn) / 0x4000n) * 0x4000n, linkEdit + 32);

  const requirements = blob(0xfade0c01, Buffer.alloc(4));
  const emptyCms = blob(0xfade0b01, Buffer.alloc(0));
  const directory = codeDirectory(signed, { dataOffset, pages, identifier, requirements, text });
  superBlob([
    [0, directory],
    [2, requirements],
    [0x10000, emptyCms],
  ]).copy(signed, dataOffset);
  return signed;
}

function layoutOf(file: Buffer): Layout {
  if (file.length < 32 || file.readUInt32LE(0) !== 0xfeedfacf) throw new Error("not a thin 64-bit Mach-O file");
  const found: Partial<Record<keyof Layout, number>> = {};
  let at = 32;
  for (let count = file.readUInt32LE(16); count > 0; count--) {
    const command = file.readUInt32LE(at);
    if (command === UUID) found.uuid = at;
    else if (command === CODE_SIGNATURE) found.codeSignature = at;
    else if (command === SEGMENT_64) {
      const name = file.toString("latin1", at + 8, at + 24).replace(/\0+$/, "");
      if (name === "__TEXT") found.text = at;
      else if (name === "__LINKEDIT") found.linkEdit = at;
    }
    at += file.readUInt32LE(at + 4);
  }
  const { uuid, codeSignature, text, linkEdit } = found;
  if (uuid === undefined || codeSignature === undefined || text === undefined || linkEdit === undefined)
    throw new Error("the Mach-O file lacks __TEXT, __LINKEDIT, LC_UUID or LC_CODE_SIGNATURE");
  return { uuid, codeSignature, text, linkEdit };
}

interface Signable {
  readonly dataOffset: number;
  readonly pages: number;
  readonly identifier: Buffer;
  readonly requirements: Buffer;
  readonly text: number;
}

function codeDirectory(
  file: Buffer,
  { dataOffset, pages, identifier, requirements, text }: Signable,
): Buffer {
  const hashOffset = CODE_DIRECTORY_SIZE + identifier.length + SPECIAL_SLOTS * HASH_SIZE;
  const directory = Buffer.alloc(hashOffset + pages * HASH_SIZE);
  directory.writeUInt32BE(0xfade0c02, 0);
  directory.writeUInt32BE(directory.length, 4);
  directory.writeUInt32BE(0x20400, 8);
  directory.writeUInt32BE(ADHOC, 12);
  directory.writeUInt32BE(hashOffset, 16);
  directory.writeUInt32BE(CODE_DIRECTORY_SIZE, 20);
  directory.writeUInt32BE(SPECIAL_SLOTS, 24);
  directory.writeUInt32BE(pages, 28);
  directory.writeUInt32BE(dataOffset, 32);
  directory.writeUInt8(HASH_SIZE, 36);
  directory.writeUInt8(2, 37); // SHA-256
  directory.writeUInt8(Math.log2(PAGE), 39);
  directory.writeBigUInt64BE(file.readBigUInt64LE(text + 40), 64);
  directory.writeBigUInt64BE(file.readBigUInt64LE(text + 48), 72);
  directory.writeBigUInt64BE(MAIN_BINARY, 80);
  identifier.copy(directory, CODE_DIRECTORY_SIZE);
  // Special slots count backwards: -1 is Info.plist (there is none), -2 the requirements.
  sha256(requirements).copy(directory, hashOffset - 2 * HASH_SIZE);
  for (let page = 0; page < pages; page++) {
    const end = Math.min((page + 1) * PAGE, dataOffset);
    sha256(file.subarray(page * PAGE, end)).copy(directory, hashOffset + page * HASH_SIZE);
  }
  return directory;
}

function blob(magic: number, content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(magic, 0);
  head.writeUInt32BE(8 + content.length, 4);
  return Buffer.concat([head, content]);
}

function superBlob(parts: readonly (readonly [type: number, content: Buffer])[]): Buffer {
  const index = Buffer.alloc(4 + parts.length * 8);
  index.writeUInt32BE(parts.length, 0);
  let offset = 8 + index.length;
  parts.forEach(([type, content], at) => {
    index.writeUInt32BE(type, 4 + at * 8);
    index.writeUInt32BE(offset, 8 + at * 8);
    offset += content.length;
  });
  return blob(0xfade0cc0, Buffer.concat([index, ...parts.map(([, content]) => content)]));
}

/** Size of the whole signature: three blobs, of which only the directory grows with the file. */
function superBlobSize(identifierLength: number, pages: number): number {
  const directory = CODE_DIRECTORY_SIZE + identifierLength + (SPECIAL_SLOTS + pages) * HASH_SIZE;
  return 8 + 4 + 3 * 8 + directory + 12 + 8;
}

function sha256(content: Buffer): Buffer {
  return createHash("sha256").update(content).digest();
}
