// A squashfs 4.0 image of a few small files, uncompressed: what other tools find behind an AppImage's program (desktop
// file, icon, man page). Written here so that its bytes depend on nothing but its contents. Layout after
// https://dr-emann.github.io/squashfs/, tried with unsquashfs.

import type { ArchiveFile } from "./archive.ts";

const BLOCK_LOG = 17;
const BLOCK = 1 << BLOCK_LOG;
const METADATA_MAX = 8192;
const NOTHING = 0xffffffffffffffffn;
/** Inodes, data, fragments and ids uncompressed; no fragments; no extended attributes. */
const FLAGS = 0x0001 | 0x0002 | 0x0010 | 0x0200 | 0x0800;
const IS_UNCOMPRESSED = 1 << 24;

interface Folder {
  readonly name: string;
  readonly folders: Map<string, Folder>;
  readonly files: Map<string, ArchiveFile>;
}

interface Placed {
  readonly name: string;
  readonly number: number;
  readonly offset: number;
  readonly isFolder: boolean;
}

/** The image, padded to 4 KiB as mounts want it. */
export function squashfs(files: readonly ArchiveFile[], seconds: number): Uint8Array {
  const root = treeOf(files);
  const data: Uint8Array[] = [];
  let position = 96;
  const inodes = new Table();
  const directories = new Table();
  let count = 0;

  const writeFile = (name: string, { mode, content }: ArchiveFile): Placed => {
    const start = position;
    const sizes: number[] = [];
    for (let at = 0; at < content.length; at += BLOCK) {
      const block = content.subarray(at, at + BLOCK);
      data.push(block);
      position += block.length;
      sizes.push(block.length | IS_UNCOMPRESSED);
    }
    const number = ++count;
    const offset = inodes.length;
    inodes.u16(2, mode & 0o777, 0, 0).u32(seconds, number, start, 0xffffffff, 0, content.length, ...sizes);
    return { name, number, offset, isFolder: false };
  };

  const writeFolder = (folder: Folder, parent: () => number): Placed => {
    // Numbers are given before children are written, which name their parent's.
    const number = ++count;
    const entries = [
      ...[...folder.folders.values()].map((each) => writeFolder(each, () => number)),
      ...[...folder.files].map(([name, file]) => writeFile(name, file)),
    ].sort((a, b) => (a.name < b.name ? -1 : 1));
    const listing = directories.length;
    if (entries.length > 0) {
      directories.u32(entries.length - 1, 0, number);
      for (const entry of entries) {
        directories.u16(entry.offset, (entry.number - number) & 0xffff, entry.isFolder ? 1 : 2, entry.name.length - 1);
        directories.text(entry.name);
      }
    }
    const offset = inodes.length;
    const links = 2 + folder.folders.size;
    inodes.u16(1, 0o755, 0, 0).u32(seconds, number, 0, links);
    inodes.u16(directories.length - listing + 3, listing).u32(parent());
    return { name: folder.name, number, offset, isFolder: true };
  };

  const placed = writeFolder(root, () => count + 1);
  const inodeTable = position;
  const directoryTable = inodeTable + inodes.length + 2;
  const ids = directoryTable + directories.length + 2;
  const idTable = ids + 2 + 4;
  const end = idTable + 8;
  const superblock = new Table()
    .u32(0x73717368, count, seconds, BLOCK, 0)
    .u16(1, BLOCK_LOG, FLAGS, 1, 4, 0)
    .u64(BigInt(placed.offset), BigInt(end), BigInt(idTable), NOTHING)
    .u64(BigInt(inodeTable), BigInt(directoryTable), NOTHING, NOTHING);
  const image = Buffer.concat([
    superblock.bytes(),
    ...data,
    inodes.metadata(),
    directories.metadata(),
    new Table().u32(0).metadata(),
    new Table().u64(BigInt(ids)).bytes(),
  ]);
  return Buffer.concat([image, new Uint8Array((4096 - (image.length % 4096)) % 4096)]);
}

function treeOf(files: readonly ArchiveFile[]): Folder {
  const root: Folder = { name: "", folders: new Map(), files: new Map() };
  for (const file of files) {
    const parts = file.path.split("/");
    const name = parts.pop() ?? "";
    let at = root;
    for (const part of parts) {
      const next = at.folders.get(part) ?? { name: part, folders: new Map(), files: new Map() };
      at.folders.set(part, next);
      at = next;
    }
    at.files.set(name, file);
  }
  return root;
}

/** Little-endian fields, one after the other. */
class Table {
  readonly #parts: Buffer[] = [];
  length = 0;

  u16(...values: readonly number[]): this {
    return this.#add(2, values, (buffer, value, at) => buffer.writeUInt16LE(value, at));
  }

  u32(...values: readonly number[]): this {
    return this.#add(4, values, (buffer, value, at) => buffer.writeUInt32LE(value, at));
  }

  u64(...values: readonly bigint[]): this {
    return this.#add(8, values, (buffer, value, at) => buffer.writeBigUInt64LE(value, at));
  }

  text(text: string): this {
    this.#parts.push(Buffer.from(text));
    this.length += Buffer.byteLength(text);
    return this;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  /** As one metadata block, uncompressed. */
  metadata(): Uint8Array {
    if (this.length > METADATA_MAX) throw new Error("the tables need more than one metadata block");
    return Buffer.concat([new Table().u16(this.length | 0x8000).bytes(), this.bytes()]);
  }

  #add<T>(size: number, values: readonly T[], write: (buffer: Buffer, value: T, at: number) => void): this {
    const buffer = Buffer.alloc(size * values.length);
    for (const [index, value] of values.entries()) write(buffer, value, index * size);
    this.#parts.push(buffer);
    this.length += buffer.length;
    return this;
  }
}
