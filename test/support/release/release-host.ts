// A release host on loopback with the real artifacts of this platform: built once for all test files,
// signed with a pair of keys that is thrown away, served over HTTPS in variants, the good one and
// broken ones.

import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import tls from "node:tls";
import { gunzipSync, gzipSync } from "node:zlib";
import { tarGz } from "../../../packaging/release/archive.ts";
import { minisign, newReleaseKeys } from "../../../packaging/release/sign.ts";
import { TARGETS } from "../../../packaging/release/targets.ts";
import { createAuthority } from "../cluster/authority.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { builtRelease, type ReleaseBuild } from "./release-build.ts";

/** Version of the program that is installed first. */
export const OLD_VERSION = "v20.0101.0001";
/** Version of the release. */
export const NEW_VERSION = "v21.0202.0002";
/** Version of the release whose program ends at its start. */
export const CRASHING_VERSION = "v22.0303.0003";

/**
 * The faults of a release; `good` has none, nor has `light`, whose program is a script that says its version, nor `large`,
 * which is that script and 32 MB behind it. Those that are refused before they are unpacked, and those that only move, are
 * light too.
 */
export type Variant = (typeof VARIANTS)[number];

const VARIANTS = [
  "good",
  "light",
  "large",
  "tampered",
  "wrong-signature",
  "old-signature",
  "cut",
  "crashing",
  "slow",
  "linked",
  "to-http",
  "moved",
] as const;

/** The host. */
export interface ReleaseHost extends ReleaseBuild {
  /** Name of this platform's archive. */
  readonly archive: string;
  /** PEM file of the authority that clients must trust. */
  readonly caPath: string;
  base(variant: Variant): string;
  feed(variant: Variant): string;
  /** Paths asked for so far, with `304` behind those that were answered so. */
  readonly asked: readonly string[];
}

const SHARED = Symbol.for("iddio release host");

/** The host that all tests of a file share: made by the first that asks, gone with the process. */
export function sharedReleaseHost(): Promise<ReleaseHost> {
  const holder = globalThis as { [SHARED]?: Promise<ReleaseHost> };
  holder[SHARED] ??= startReleaseHost();
  return holder[SHARED];
}

/** Builds, unless another file has, and serves. */
async function startReleaseHost(): Promise<ReleaseHost> {
  const directory = await temporaryDirectory();
  const target = TARGETS.find(({ name }) => name === `linux-${process.arch}`);
  if (target === undefined) throw new Error(`no release is tested on ${process.platform} ${process.arch}`);
  const built = await builtRelease({ target, oldVersion: OLD_VERSION, newVersion: NEW_VERSION });
  const { folder, privateKey } = built;

  const authority = createAuthority("releases");
  const { certPem, keyPem } = authority.serverCertificate(["localhost", "127.0.0.1"]);
  const caPath = join(directory.path, "ca.pem");
  await writeFile(caPath, authority.caPem);

  const archive = `iddio-${target.name}.tar.gz`;
  const whole = new Map<string, Uint8Array>(
    ["SHA256SUMS", "SHA256SUMS.minisig", "install.sh", archive].map((name) => [
      name,
      readFileSync(join(folder, name)),
    ]),
  );
  const cutter = await startCutter(certPem, keyPem, whole.get(archive) ?? new Uint8Array());
  const files = (variant: Variant) => variantFiles(variant, new Map(whole), archive, privateKey);
  const made = new Map<Variant, ReadonlyMap<string, Uint8Array>>();
  const asked: string[] = [];
  const etags = new WeakMap<Uint8Array, string>();
  const server: Bun.Server<undefined> = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { cert: certPem, key: keyPem },
    idleTimeout: 0,
    async fetch(request): Promise<Response> {
      const [, variant = "good", name = ""] = new URL(request.url).pathname.split("/") as [
        string,
        Variant,
        string,
      ];
      if (!VARIANTS.includes(variant)) return new Response("not here", { status: 404 });
      const held = made.get(variant) ?? files(variant);
      made.set(variant, held);
      const content = name === "release.json" ? manifest(variant, held, server.port ?? 0) : held.get(name);
      if (content === undefined) return new Response("not here", { status: 404 });
      const etag = etags.get(content) ?? `"${createHash("sha256").update(content).digest("hex")}"`;
      etags.set(content, etag);
      const isUnchanged = request.headers.get("if-none-match") === etag;
      asked.push(`/${variant}/${name}${isUnchanged ? " 304" : ""}`);
      if (isUnchanged) return new Response(null, { status: 304 });
      if (name === archive && variant === "cut")
        return Response.redirect(`https://localhost:${(cutter.address() as AddressInfo).port}/`);
      if (name === archive && variant === "to-http") return Response.redirect("http://releases.invalid/");
      if (name === archive && variant === "moved") return Response.redirect(`${base("light")}/${name}`);
      if (name === archive && variant === "slow") await Bun.sleep(1000);
      return new Response(content, { headers: { etag } });
    },
  });
  server.unref();
  cutter.unref();
  process.once("exit", () => rmSync(directory.path, { recursive: true, force: true }));
  const base = (variant: Variant) => `https://localhost:${server.port}/${variant}`;
  return {
    ...built,
    archive,
    caPath,
    base,
    feed: (variant) => `${base(variant)}/release.json`,
    asked,
  };
}

function variantFiles(
  variant: Variant,
  files: Map<string, Uint8Array>,
  archive: string,
  privateKey: string,
): ReadonlyMap<string, Uint8Array> {
  switch (variant) {
    case "tampered": {
      const light = lightFiles(files, archive, privateKey);
      const bytes = Uint8Array.from(light.get(archive) ?? []);
      const middle = bytes.length >> 1;
      bytes[middle] = (bytes[middle] ?? 0) ^ 1;
      return light.set(archive, bytes);
    }
    case "wrong-signature":
      return signedAnew(lightFiles(files, archive, privateKey), newReleaseKeys().privateKey, NEW_VERSION);
    case "old-signature":
      return signedAnew(lightFiles(files, archive, privateKey), privateKey, OLD_VERSION);
    case "crashing": {
      const script = `#!/bin/sh\n[ "$1" = version ] && echo '{"build_version":"${CRASHING_VERSION}"}' && exit 0\necho "cannot start" >&2\nexit 3\n`;
      const bytes = tarGz([{ path: "iddio", mode: 0o755, content: Buffer.from(script) }], 0);
      return withArchive(files, archive, bytes, privateKey, CRASHING_VERSION);
    }
    case "large":
      return lightFiles(files, archive, privateKey, 32 * 1024 * 1024);
    case "light":
    case "moved":
      return lightFiles(files, archive, privateKey);
    case "linked":
      return withArchive(files, archive, linkArchive("iddio", "/bin/sh"), privateKey, NEW_VERSION);
    default:
      return files;
  }
}

function lightFiles(
  files: Map<string, Uint8Array>,
  archive: string,
  privateKey: string,
  more = 0,
): Map<string, Uint8Array> {
  const script = `#!/bin/sh\n[ "$1" = version ] && echo "iddio ${NEW_VERSION}"\nexit\n`;
  const content = Buffer.concat([Buffer.from(script), Buffer.alloc(more, "\n")]);
  const bytes = tarGz([{ path: "iddio", mode: 0o755, content }], 0);
  return withArchive(files, archive, bytes, privateKey, NEW_VERSION);
}

/** The files with another signature of the list of checksums. */
function signedAnew(files: Map<string, Uint8Array>, key: string, version: string): Map<string, Uint8Array> {
  const sums = files.get("SHA256SUMS") ?? new Uint8Array();
  return files.set("SHA256SUMS.minisig", Buffer.from(minisign(sums, key, `iddio ${version}`)));
}

/** The files with another archive, rightly signed. */
function withArchive(
  files: Map<string, Uint8Array>,
  archive: string,
  bytes: Uint8Array,
  privateKey: string,
  version: string,
): Map<string, Uint8Array> {
  const list = Buffer.from(`${createHash("sha256").update(bytes).digest("hex")}  ${archive}\n`);
  return files
    .set(archive, bytes)
    .set("SHA256SUMS", list)
    .set("SHA256SUMS.minisig", Buffer.from(minisign(list, privateKey, `iddio ${version}`)));
}

/** An archive whose one member is a symbolic link. */
export function linkArchive(path: string, target: string): Uint8Array {
  const tar = Buffer.from(gunzipSync(tarGz([{ path, mode: 0o755, content: new Uint8Array() }], 0)));
  tar.write("2", 156, "latin1");
  tar.write(target, 157, "latin1");
  tar.fill(" ", 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return gzipSync(tar);
}

function manifest(variant: Variant, files: ReadonlyMap<string, Uint8Array>, port: number): Uint8Array {
  const assets = [...files].map(([name, { length }]) => ({
    name,
    size: length,
    browser_download_url: `https://localhost:${port}/${variant}/${name}`,
  }));
  const tag_name = variant === "crashing" ? CRASHING_VERSION : NEW_VERSION;
  return Buffer.from(JSON.stringify({ tag_name, draft: false, prerelease: false, assets }));
}

/** A server that promises the file, sends half of it and hangs up. */
async function startCutter(cert: string, key: string, content: Uint8Array): Promise<tls.Server> {
  const server = tls.createServer({ cert, key }, (socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n\r\n`);
      socket.write(content.subarray(0, content.length >> 1), () => socket.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
