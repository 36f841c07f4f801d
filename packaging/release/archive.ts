// tar and ar archives that depend on nothing but their contents: no clock, no user, no order of a directory. Written
// here and not by tar(1), whose versions differ in their bytes.

import { gzipSync } from "node:zlib";

/** One file of an archive; directories come by themselves. */
export interface ArchiveFile {
  /** Relative, with forward slashes. */
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

/** A ustar archive, sorted by path, everything root's and as old as `seconds` says. */
export function tar(files: readonly ArchiveFile[], seconds: number, prefix = ""): Uint8Array {
  const folders = new Set<string>();
  for (const { path } of files)
    for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) folders.add(path.slice(0, at + 1));
  const entries = [
    ...(prefix === "" ? [] : [{ path: prefix, mode: 0o755, content: undefined }]),
    ...[...folders].map((path) => ({ path: prefix + path, mode: 0o755, content: undefined })),
    ...files.map((file) => ({ ...file, path: prefix + file.path })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  const parts = entries.flatMap(({ path, mode, content }) => {
    const size = content?.length ?? 0;
    const padding = new Uint8Array((512 - (size % 512)) % 512);
    return [header(path, mode, size, seconds), ...(content === undefined ? [] : [content]), padding];
  });
  return Buffer.concat([...parts, new Uint8Array(1024)]);
}

/** The effort of a release's compression; tests that are not about sizes take the least, 1. */
export const RELEASE_LEVEL = 6;

/** The same, compressed. */
export function tarGz(
  files: readonly ArchiveFile[],
  seconds: number,
  { prefix = "", level = RELEASE_LEVEL }: { readonly prefix?: string; readonly level?: number } = {},
): Uint8Array {
  return gzip(tar(files, seconds, prefix), level);
}

/** gzip without a name or a time. */
export function gzip(bytes: Uint8Array, level = RELEASE_LEVEL): Uint8Array {
  const compressed = gzipSync(bytes, { level });
  // RFC 1952: the operating system that compressed it; 255 is "unknown".
  compressed[9] = 255;
  return compressed;
}

/** An `ar` archive, as dpkg reads it. */
export function ar(files: readonly ArchiveFile[], seconds: number): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from("!<arch>\n")];
  for (const { path, mode, content } of files) {
    const fields = [path.padEnd(16), String(seconds).padEnd(12), "0     ", "0     "];
    const head = `${fields.join("")}${(0o100000 | mode).toString(8).padEnd(8)}${String(content.length).padEnd(10)}\`\n`;
    parts.push(Buffer.from(head), content, Buffer.from(content.length % 2 === 1 ? "\n" : ""));
  }
  return Buffer.concat(parts);
}

function header(path: string, mode: number, size: number, seconds: number): Uint8Array {
  if (Buffer.byteLength(path) > 100) throw new Error(`'${path}' is too long for a ustar header`);
  const block = Buffer.alloc(512);
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, "0")}\0`;
  block.write(path, 0);
  block.write(octal(mode, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(seconds, 12), 136);
  block.write("        ", 148);
  block.write(path.endsWith("/") ? "5" : "0", 156);
  block.write("ustar\x0000", 257);
  block.write("root", 265);
  block.write("root", 297);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
