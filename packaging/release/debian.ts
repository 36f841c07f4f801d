// The Debian package: binary, man page, completions. No maintainer scripts: the daemon is a user's, so there is nothing
// that root would have to start or stop, and removing the files removes everything.

import { createHash } from "node:crypto";
import { type ArchiveFile, ar, gzip, tarGz } from "./archive.ts";

/** The inputs of a package. */
export interface DebianInput {
  readonly version: string;
  /** `amd64` or `arm64`. */
  readonly architecture: string;
  readonly seconds: number;
  /** The effort of the compression. */
  readonly level?: number;
  readonly homepage: string;
  readonly binary: Uint8Array;
  readonly manPage: string;
  readonly license: string;
  /** Texts by shell. */
  readonly completions: Readonly<Record<string, string>>;
}

/** `v26.0603.1148` as Debian has it: no leading letter, comparable. */
export function debianVersion(version: string): string {
  return version.replace(/^v/, "");
}

/** The bytes of the .deb. */
export function debianPackage(input: DebianInput): Uint8Array {
  const files = contents(input);
  const installed = Math.ceil(files.reduce((sum, { content }) => sum + content.length, 0) / 1024);
  const control = [
    "Package: iddio",
    `Version: ${debianVersion(input.version)}`,
    `Architecture: ${input.architecture}`,
    "Maintainer: The iddio authors <iddio@users.noreply.github.com>",
    `Installed-Size: ${installed}`,
    "Depends: libc6 (>= 2.27)",
    "Recommends: ca-certificates",
    "Suggests: libnss3-tools",
    "Section: net",
    "Priority: optional",
    `Homepage: ${input.homepage}`,
    "Description: security gateway for AI agents",
    " iddio sits between the command-line tools that AI agents run (kubectl, aws,",
    " gcloud, gh, …) and the APIs behind them. Reads pass, writes wait for a person,",
    " the worst is refused, and an audit log says what happened.",
    " .",
    ' "iddio install" makes the daemon a service of the user who types it.',
    "",
  ].join("\n");
  const sums = files
    .map(({ path, content }) => `${createHash("md5").update(content).digest("hex")}  ${path}\n`)
    .join("");
  const meta: ArchiveFile[] = [
    { path: "control", mode: 0o644, content: Buffer.from(control) },
    { path: "md5sums", mode: 0o644, content: Buffer.from(sums) },
  ];
  const how = { prefix: "./", ...(input.level === undefined ? {} : { level: input.level }) };
  return ar(
    [
      { path: "debian-binary", mode: 0o644, content: Buffer.from("2.0\n") },
      { path: "control.tar.gz", mode: 0o644, content: tarGz(meta, input.seconds, how) },
      { path: "data.tar.gz", mode: 0o644, content: tarGz(files, input.seconds, how) },
    ],
    input.seconds,
  );
}

/** Where each shell looks for the completions of packages. */
const COMPLETION_PATHS: Readonly<Record<string, string>> = {
  bash: "usr/share/bash-completion/completions/iddio",
  zsh: "usr/share/zsh/vendor-completions/_iddio",
  fish: "usr/share/fish/vendor_completions.d/iddio.fish",
};

function contents(input: DebianInput): readonly ArchiveFile[] {
  const text = (path: string, content: string | Uint8Array): ArchiveFile => ({
    path,
    mode: 0o644,
    content: typeof content === "string" ? Buffer.from(content) : content,
  });
  return [
    { path: "usr/bin/iddio", mode: 0o755, content: input.binary },
    text("usr/share/man/man1/iddio.1.gz", gzip(Buffer.from(input.manPage))),
    text("usr/share/doc/iddio/copyright", input.license),
    ...Object.entries(input.completions).flatMap(([shell, content]) => {
      const path = COMPLETION_PATHS[shell];
      return path === undefined ? [] : [text(path, content)];
    }),
  ];
}
