// The launcher of the console in the desktop's menu: a desktop entry with its icon on Linux, a
// small app bundle on macOS. It names the program by its absolute path and holds no secret; it only
// types `iddio console --window` for the user.

import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { quotePosix } from "../../text/quote-posix.ts";
import type { Environment } from "../process/environment.ts";

/** The inputs of a launcher. */
export interface LauncherOptions {
  /** Absolute path of iddio. */
  readonly program: string;
  readonly env: Environment;
  readonly platform?: NodeJS.Platform;
}

interface LauncherFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
  <path d="M32 4 8 13v17c0 16 10 25 24 30 14-5 24-14 24-30V13Z" fill="#0f6b5c"/>
  <path d="m20 32 9 9 16-18" fill="none" stroke="#fff" stroke-width="6"/>
</svg>
`;

/** Writes the launcher; the paths of its files, and whether any of them was not there or differed. */
export async function installLauncher(
  options: LauncherOptions,
): Promise<{ readonly paths: readonly string[]; readonly changed: boolean }> {
  const files = launcherFiles(options);
  let changed = false;
  for (const { path, mode, text } of files) {
    if ((await readFile(path, "utf8").catch(() => undefined)) === text) continue;
    changed = true;
    await mkdir(dirname(path), { recursive: true });
    const fresh = `${path}.${process.pid}.tmp`;
    await writeFile(fresh, text, { mode });
    await chmod(fresh, mode);
    await rename(fresh, path);
  }
  return { paths: files.map(({ path }) => path), changed };
}

/** Takes the launcher away; the paths that were there. */
export async function removeLauncher(
  options: Pick<LauncherOptions, "env" | "platform">,
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const { path } of launcherFiles({ ...options, program: "" })) {
    if (!existsSync(path)) continue;
    await rm(path);
    removed.push(path);
  }
  // The bundle is a folder of ours, and goes when nothing of others is in it.
  const bundle = bundleOf(options.env);
  for (const folder of [join(bundle, "Contents", "MacOS"), join(bundle, "Contents"), bundle])
    await rmdir(folder).catch(() => undefined);
  return removed;
}

function launcherFiles({
  program,
  env,
  platform = process.platform,
}: LauncherOptions): readonly LauncherFile[] {
  const home = env.IDDIO_HOME;
  if (platform === "darwin") {
    const script = [
      "#!/bin/sh",
      ...(home ? [`IDDIO_HOME=${quotePosix(home)}; export IDDIO_HOME`] : []),
      `exec ${quotePosix(program)} console --window`,
      "",
    ].join("\n");
    const contents = join(bundleOf(env), "Contents");
    return [
      { path: join(contents, "Info.plist"), mode: 0o644, text: PLIST },
      { path: join(contents, "MacOS", "iddio-console"), mode: 0o755, text: script },
    ];
  }
  const data = env.XDG_DATA_HOME || join(homeOf(env), ".local", "share");
  const words = [...(home ? ["/usr/bin/env", `IDDIO_HOME=${home}`] : []), program, "console", "--window"];
  const entry = [
    "[Desktop Entry]",
    "Type=Application",
    "Name=iddio",
    "Comment=Approvals, policy and audit of AI agents",
    `Exec=${words.map(quotedForEntry).join(" ")}`,
    "Icon=iddio-console",
    "Terminal=false",
    "Categories=Development;Security;",
    "",
  ].join("\n");
  return [
    { path: join(data, "applications", "iddio-console.desktop"), mode: 0o644, text: entry },
    {
      path: join(data, "icons", "hicolor", "scalable", "apps", "iddio-console.svg"),
      mode: 0o644,
      text: ICON,
    },
  ];
}

const PLIST = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>CFBundleExecutable</key><string>iddio-console</string>
  <key>CFBundleIdentifier</key><string>dev.iddio.console</string>
  <key>CFBundleName</key><string>iddio</string>
  <key>CFBundlePackageType</key><string>APPL</string>
  <key>CFBundleShortVersionString</key><string>1.0</string>
  <key>LSUIElement</key><true/>
</dict>
</plist>
`;

function homeOf(env: Environment): string {
  return env.HOME || homedir();
}

function bundleOf(env: Environment): string {
  return join(homeOf(env), "Applications", "iddio.app");
}

/** As the specification of desktop entries wants it: escaped once for the quotes and once for the file. */
function quotedForEntry(text: string): string {
  const percent = text.replaceAll("%", "%%");
  if (/^[\w@+./=:%-]+$/.test(text)) return percent;
  const quoted = percent.replace(/["`$\\]/g, (character) => `\\${character}`);
  return `"${quoted}"`.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
