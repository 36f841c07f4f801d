// One file out of a ZIP archive in memory, found by the archive's directory (APPNOTE 4.3). Bounded:
// what claims to be larger, is encrypted or lies outside of the archive is not read.

import { inflateRawSync } from "node:zlib";

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const COMMENT_MAX = 65_535;

/** The bytes of an entry; undefined when there is none of that name or it cannot be read. */
export function zipEntry(archive: Uint8Array, name: string, mostBytes: number): Uint8Array | undefined {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  try {
    const end = endOf(view);
    if (end === undefined) return undefined;
    let at = view.getUint32(end + 16, true);
    for (let left = view.getUint16(end + 10, true); left > 0; left -= 1) {
      if (view.getUint32(at, true) !== ENTRY) return undefined;
      const [nameLength, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
      const found = new TextDecoder().decode(archive.subarray(at + 46, at + 46 + (nameLength ?? 0)));
      if (found === name) return contents(archive, view, at, mostBytes);
      at += 46 + (nameLength ?? 0) + (extra ?? 0) + (comment ?? 0);
    }
  } catch {
    // A number that leads out of the archive.
  }
  return undefined;
}

function endOf(view: DataView): number | undefined {
  for (
    let at = view.byteLength - END_BYTES;
    at >= Math.max(0, view.byteLength - END_BYTES - COMMENT_MAX);
    at -= 1
  )
    if (view.getUint32(at, true) === END) return at;
  return undefined;
}

function contents(archive: Uint8Array, view: DataView, entry: number, most: number): Uint8Array | undefined {
  const flags = view.getUint16(entry + 8, true);
  const method = view.getUint16(entry + 10, true);
  const packed = view.getUint32(entry + 20, true);
  const size = view.getUint32(entry + 24, true);
  const local = view.getUint32(entry + 42, true);
  if ((flags & 1) !== 0 || size > most || view.getUint32(local, true) !== LOCAL) return undefined;
  const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  const bytes = archive.subarray(start, start + packed);
  if (bytes.length !== packed) return undefined;
  if (method === 0) return bytes;
  return method === 8 ? new Uint8Array(inflateRawSync(bytes, { maxOutputLength: most })) : undefined;
}
