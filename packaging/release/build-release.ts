// Makes everything that a release consists of, in one folder: archives, packages, checksums, signature, manifest,
// formula. The same sources and the same `seconds` give the same bytes.

import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { APP_IMAGE_MAGIC, appDirectory } from "../../src/cli/app-image.ts";
import { renderManPage } from "../../src/cli/man-page.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { renderCompletion } from "../../src/text/completion-script.ts";
import { SHELLS } from "../../src/text/shell-init.ts";
import { type ArchiveFile, RELEASE_LEVEL, tarGz } from "./archive.ts";
import { compile, repositoryOf } from "./compile.ts";
import { debianPackage, debianVersion } from "./debian.ts";
import { homebrewFormula } from "./formula.ts";
import { runtimeFor } from "./runtime.ts";
import { minisign, publicKeyFile } from "./sign.ts";
import { signDarwin } from "./sign-darwin.ts";
import { squashfs } from "./squashfs.ts";
import type { Target } from "./targets.ts";

/** The inputs of a release. */
export interface ReleaseInput {
  readonly root: string;
  readonly out: string;
  readonly version: string;
  /** Time of everything in it, in seconds since 1970. */
  readonly seconds: number;
  readonly targets: readonly Target[];
  /** PKCS #8 PEM of the key that signs. */
  readonly privateKey: string;
  /** Where the files will be found; GitHub's place for this version unless told. */
  readonly base?: string;
  /** The program of the one target, compiled already; only tests have it. */
  readonly program?: Uint8Array;
  /** The effort of the compression; a release's own unless told. */
  readonly level?: number;
  /** Told about each file. */
  readonly say?: (line: string) => void;
}

/** Builds into `out`, which is emptied first. */
export async function buildRelease(input: ReleaseInput): Promise<void> {
  const { root, out, version, seconds, say, level = RELEASE_LEVEL } = input;
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const put = (name: string, content: Uint8Array | string, mode = 0o644) => {
    writeFileSync(join(out, name), content);
    chmodSync(join(out, name), mode);
    say?.(`${name}, ${(content.length / 1e6).toFixed(1)} MB`);
  };
  const extras = extraFiles(root, version);
  for (const target of input.targets) {
    const binary = input.program ?? (await programFor(target, input));
    put(
      `iddio-${target.name}.tar.gz`,
      tarGz([{ path: "iddio", mode: 0o755, content: binary }, ...extras.files], seconds, { level }),
    );
    if (target.debian !== undefined)
      put(
        `iddio_${debianVersion(version)}_${target.debian}.deb`,
        debianPackage({
          version,
          architecture: target.debian,
          seconds,
          level,
          homepage: `https://github.com/${repositoryOf(root)}`,
          binary,
          ...extras,
        }),
      );
    if (target.appImage !== undefined)
      put(`iddio-${target.appImage}.AppImage`, appImage(binary, version, seconds), 0o755);
  }
  const key = publicKeyFile(input.privateKey).trim().split("\n").at(-1) ?? "";
  put("install.sh", readFileSync(join(root, "install.sh"), "utf8").replace(/^PUBLIC_KEY=.*$/m, `PUBLIC_KEY=${key}`), 0o755);
  finish(input);
}

/** Compiles the program that is shipped for a target, in a folder that `out` has meanwhile. */
export async function programFor(
  target: Target,
  input: Pick<ReleaseInput, "root" | "out" | "version" | "privateKey">,
): Promise<Uint8Array> {
  const scratch = join(input.out, ".build");
  mkdirSync(scratch, { recursive: true });
  // The file's name is part of the result: always the same one.
  const outfile = join(scratch, "iddio");
  await compile({
    isShipped: true,
    root: input.root,
    outfile,
    version: input.version,
    publicKey: publicKeyFile(input.privateKey),
    platform: { bunTarget: target.bunTarget, runtime: runtimeFor(target, input.root) },
  });
  const binary = readFileSync(outfile);
  rmSync(scratch, { recursive: true });
  return target.name.startsWith("darwin-") ? signDarwin(binary, target.name) : binary;
}

function extraFiles(root: string, version: string) {
  const manPage = renderManPage(COMMANDS, version);
  const license = readFileSync(join(root, "LICENSE"), "utf8");
  const completions = Object.fromEntries(SHELLS.map((shell) => [shell, renderCompletion(shell)]));
  const text = (path: string, content: string): ArchiveFile => ({ path, mode: 0o644, content: Buffer.from(content) });
  const files = [
    text("LICENSE", license),
    text("share/man/man1/iddio.1", manPage),
    ...Object.entries(completions).map(([shell, content]) =>
      text(`share/completions/${shell === "zsh" ? "_iddio" : `iddio.${shell}`}`, content),
    ),
  ];
  return { manPage, license, completions, files };
}

function appImage(binary: Uint8Array, version: string, seconds: number): Uint8Array {
  const files = appDirectory(COMMANDS, version).map(({ path, mode, text }) => ({
    path,
    mode,
    content: Buffer.from(text),
  }));
  const image = Buffer.concat([binary, squashfs(files, seconds)]);
  image.set(APP_IMAGE_MAGIC, 8);
  return image;
}

/** Checksums, signature, manifest and formula of what is in the folder. */
function finish({ root, out, version, seconds, privateKey, ...input }: ReleaseInput): void {
  const repository = repositoryOf(root);
  const base = input.base ?? `https://github.com/${repository}/releases/download/${version}`;
  const names = readdirSync(out).sort();
  const digests = new Map(names.map((name) => [name, sha256(readFileSync(join(out, name)))]));
  const sums = Buffer.from([...digests].map(([name, digest]) => `${digest}  ${name}\n`).join(""));
  writeFileSync(join(out, "SHA256SUMS"), sums);
  // The comment is signed: an old release's files cannot be passed off as a new one's.
  writeFileSync(join(out, "SHA256SUMS.minisig"), minisign(sums, privateKey, `iddio ${version}`));
  const published = new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
  const assets = [...names, "SHA256SUMS", "SHA256SUMS.minisig"].map((name) => {
    const digest = digests.get(name) ?? sha256(readFileSync(join(out, name)));
    const { size } = statSync(join(out, name));
    return { name, size, digest: `sha256:${digest}`, browser_download_url: `${base}/${name}` };
  });
  const manifest = {
    tag_name: version,
    name: `iddio ${version}`,
    draft: false,
    prerelease: false,
    published_at: published,
    html_url: `https://github.com/${repository}/releases/tag/${version}`,
    assets,
  };
  writeFileSync(join(out, "release.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  const homepage = `https://github.com/${repository}`;
  writeFileSync(join(out, "iddio.rb"), homebrewFormula({ version, homepage, base, sums: digests }));
}

function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
