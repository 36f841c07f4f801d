// iddio as an AppImage. The program is its own runtime: a type-2 AppImage is an ELF file with
// `AI\x02` at byte 8 and a squashfs behind it, and this ELF needs nothing from the squashfs, so
// neither FUSE nor a mount. The squashfs is there for other tools; its files are listed here, for
// the build that writes it and for `--appimage-extract`.

import { closeSync, openSync, readSync, statSync } from "node:fs";
import { chmod, mkdir, open, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UserError } from "../model/user-error.ts";
import { renderCompletion } from "../text/completion-script.ts";
import { SHELLS } from "../text/shell-init.ts";
import type { Command } from "./kit/command.ts";
import { renderManPage } from "./man-page.ts";

/** The octets at byte 8 of an AppImage's header. */
export const APP_IMAGE_MAGIC = new Uint8Array([0x41, 0x49, 0x02]);
const MAGIC_OFFSET = 8;

/** One file of the AppDir. */
export interface AppFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

/** The AppDir without the program itself, which is in front of it. */
export function appDirectory(commands: readonly Command[], version: string): readonly AppFile[] {
  const file = (path: string, text: string, mode = 0o644) => ({ path, mode, text });
  return [
    file(
      "AppRun",
      [
        "#!/bin/sh",
        "# The program beside this, once it was extracted; else the AppImage that this is mounted from.",
        'here=$(dirname "$(readlink -f "$0")")',
        '[ -x "$here/usr/bin/iddio" ] && exec "$here/usr/bin/iddio" "$@"',
        `exec "\${APPIMAGE:?run the AppImage itself}" "$@"`,
        "",
      ].join("\n"),
      0o755,
    ),
    file(
      "iddio.desktop",
      [
        "[Desktop Entry]",
        "Type=Application",
        "Name=iddio",
        "Comment=Security gateway for AI agents",
        "Exec=iddio",
        "Icon=iddio",
        "Terminal=true",
        "Categories=Development;Security;",
        `X-AppImage-Version=${version}`,
        "",
      ].join("\n"),
    ),
    file("iddio.svg", ICON),
    file(".DirIcon", ICON),
    file("usr/share/man/man1/iddio.1", renderManPage(commands, version)),
    ...SHELLS.map((shell) => file(`usr/share/completions/iddio.${shell}`, renderCompletion(shell))),
  ];
}

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 64 64">
  <path d="M32 4 8 13v17c0 15 10 25 24 30 14-5 24-15 24-30V13z" fill="#1f4f82"/>
  <path d="M29 26h6v22h-6zm0-10h6v6h-6z" fill="#fff"/>
</svg>
`;

/** Length of the program in front of the squashfs; undefined when this file is no AppImage. */
export function appImageOffset(path: string): number | undefined {
  const file = openSync(path, "r");
  try {
    const head = new DataView(new ArrayBuffer(64));
    if (readSync(file, head, 0, 64, 0) < 64) return undefined;
    if (APP_IMAGE_MAGIC.some((byte, at) => head.getUint8(MAGIC_OFFSET + at) !== byte)) return undefined;
    // ELF64: the section headers are the last thing of the program.
    return Number(head.getBigUint64(40, true)) + head.getUint16(58, true) * head.getUint16(60, true);
  } finally {
    closeSync(file);
  }
}

/** Answers one `--appimage-…` argument. Gives what stdout is to say. */
export async function answerAppImage(argument: string, files: () => readonly AppFile[]): Promise<string> {
  const path = process.execPath;
  const offset = process.platform === "linux" ? appImageOffset(path) : undefined;
  if (offset === undefined)
    throw new UserError(`'${argument}' is for the AppImage; this is '${path}'`, { exitCode: 2 });
  switch (argument) {
    case "--appimage-offset":
      return `${offset}\n`;
    case "--appimage-version":
      return "iddio is its own AppImage runtime, type 2\n";
    case "--appimage-extract":
      return extract(path, offset, files());
    case "--appimage-help":
      return [
        "--appimage-extract   write the files of this AppImage to ./squashfs-root",
        "--appimage-offset    print where the file system in it begins",
        "--appimage-version   print the version of its runtime",
        "No argument mounts anything: this AppImage needs no FUSE.",
        "",
      ].join("\n");
    default:
      throw new UserError(`'${argument}' is nothing that this AppImage does`, {
        hint: "see: --appimage-help",
        exitCode: 2,
      });
  }
}

async function extract(path: string, length: number, files: readonly AppFile[]): Promise<string> {
  const root = "squashfs-root";
  const program = join(root, "usr/bin/iddio");
  const said: string[] = [];
  for (const { path: name, mode, text } of files) {
    const target = join(root, name);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
    await chmod(target, mode);
    said.push(target);
  }
  await mkdir(dirname(program), { recursive: true });
  await copyProgram(path, program, Math.min(length, statSync(path).size));
  return `${[...said, program].join("\n")}\n`;
}

/** The program alone: without the appended image, and no longer marked. */
async function copyProgram(from: string, to: string, length: number): Promise<void> {
  await using source = await open(from, "r");
  await using target = await open(to, "w", 0o755);
  const buffer = new Uint8Array(4 * 1024 * 1024);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, length - at), at);
    if (bytesRead === 0) break;
    await target.write(buffer, 0, bytesRead, at);
    at += bytesRead;
  }
  await target.write(new Uint8Array(APP_IMAGE_MAGIC.length), 0, APP_IMAGE_MAGIC.length, MAGIC_OFFSET);
}
