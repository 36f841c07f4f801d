// Reads a Mach-O file's code signature as macOS's loader does, from Apple's cs_blobs.h and not from
// the signer, and makes small Mach-O files to sign.

import { createHash } from "node:crypto";

/** The contents of a signature, and whether it fits the file. */
export interface DarwinSignature {
  readonly uuid: string;
  readonly identifier: string;
  readonly flags: number;
  /** Pages whose hash in the signature is another than the file's. */
  readonly wrongPages: readonly number[];
  /** Whether the requirements blob is the one that the directory names. */
  readonly isRequirementsHashRight: boolean;
  /** Octets of the file that no page hash covers and that are not the signature. */
  readonly uncovered: number;
  /** Whether __LINKEDIT ends where the file does. */
  readonly isLinkEditWhole: boolean;
  /** Length of the CMS signature; 8 is an empty one. */
  readonly cmsLength: number;
}

/** The load commands of a file: their kind and where they begin. */
function loadCommands(file: Buffer): { readonly kind: number; readonly at: number }[] {
  const commands = [];
  let at = 32;
  for (let left = file.readUInt32LE(16); left > 0; left--) {
    commands.push({ kind: file.readUInt32LE(at), at });
    at += file.readUInt32LE(at + 4);
  }
  return commands;
}

/** Checks every page hash of a signed file. */
export function readDarwinSignature(bytes: Uint8Array): DarwinSignature {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const commands = loadCommands(file);
  const commandAt = (kind: number) => commands.find((each) => each.kind === kind)?.at ?? -1;
  const start = file.readUInt32LE(commandAt(0x1d) + 8);
  const length = file.readUInt32LE(commandAt(0x1d) + 12);
  const blobs = new Map<number, Buffer>();
  for (let index = 0; index < file.readUInt32BE(start + 8); index++) {
    const at = start + file.readUInt32BE(start + 16 + index * 8);
    blobs.set(file.readUInt32BE(start + 12 + index * 8), file.subarray(at, at + file.readUInt32BE(at + 4)));
  }
  const directory = blobs.get(0) ?? Buffer.alloc(0);
  const hashes = directory.readUInt32BE(16);
  const codeLimit = directory.readUInt32BE(32);
  const pageSize = 2 ** directory.readUInt8(39);
  const hashAt = (slot: number) =>
    directory.subarray(hashes + slot * 32, hashes + slot * 32 + 32).toString("hex");
  const hash = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");
  const wrongPages = [];
  for (let page = 0; page < directory.readUInt32BE(28); page++)
    if (hash(file.subarray(page * pageSize, Math.min((page + 1) * pageSize, codeLimit))) !== hashAt(page))
      wrongPages.push(page);
  const linkEdit = commands.find(
    ({ kind, at }) => kind === 0x19 && file.toString("latin1", at + 8, at + 18) === "__LINKEDIT",
  )?.at;
  const linkEditEnd =
    linkEdit === undefined ? -1n : file.readBigUInt64LE(linkEdit + 40) + file.readBigUInt64LE(linkEdit + 48);
  const identifierAt = directory.readUInt32BE(20);
  return {
    uuid: file.subarray(commandAt(0x1b) + 8, commandAt(0x1b) + 24).toString("hex"),
    identifier: directory.toString("latin1", identifierAt, directory.indexOf(0, identifierAt)),
    flags: directory.readUInt32BE(12),
    wrongPages,
    isRequirementsHashRight: hash(blobs.get(2) ?? Buffer.alloc(0)) === hashAt(-2),
    uncovered: start - codeLimit + (file.length - start - length),
    isLinkEditWhole: linkEditEnd === BigInt(file.length),
    cmsLength: blobs.get(0x10000)?.length ?? -1,
  };
}

/** A Mach-O file with the four load commands that a signer needs, `size` octets of code and a stale signature after it. */
export function machO(size: number, stale: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(32 + 72 + 72 + 24 + 16);
  head.writeUInt32LE(0xfeedfacf, 0);
  head.writeUInt32LE(4, 16);
  const segment = (at: number, name: string, offset: number, length: number) => {
    head.writeUInt32LE(0x19, at);
    head.writeUInt32LE(72, at + 4);
    head.write(name, at + 8, "latin1");
    head.writeBigUInt64LE(BigInt(offset), at + 40);
    head.writeBigUInt64LE(BigInt(length), at + 48);
  };
  segment(32, "__TEXT", 0, Math.floor(size / 2));
  segment(104, "__LINKEDIT", Math.floor(size / 2), size - Math.floor(size / 2));
  head.writeUInt32LE(0x1b, 176);
  head.writeUInt32LE(24, 180);
  head.fill(0xee, 184, 200);
  head.writeUInt32LE(0x1d, 200);
  head.writeUInt32LE(16, 204);
  head.writeUInt32LE(size, 208);
  head.writeUInt32LE(stale.length, 212);
  const code = Buffer.alloc(size - head.length);
  for (let at = 0; at < code.length; at++) code[at] = (at * 31) & 0xff;
  return Buffer.concat([head, code, stale]);
}
