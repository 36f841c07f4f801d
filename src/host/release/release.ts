// Releases: the feed in the shape of GitHub's API, and from there to a program in a file. The order
// is the point of this file: signature of the checksums, then version, then checksum of the
// archive, and only then is anything of it run. What fails leaves nothing behind.

import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../model/user-error.ts";
import { errorCode } from "../../state/files.ts";
import { isSecureUrl } from "../../text/secure-url.ts";
import type { Environment } from "../process/environment.ts";
import { askProgram } from "../service/daemon-binary.ts";
import { verifyMinisign } from "./minisign.ts";
import { unpackMember } from "./unpack.ts";

/** One release as the feed has it. */
export interface Release {
  readonly version: string;
  /** Address by file name. */
  readonly assets: ReadonlyMap<string, string>;
}

/** The feed's answer. `unchanged`: it is the same as at this ETag. */
export type FeedAnswer =
  | { readonly kind: "unchanged" }
  | { readonly kind: "release"; readonly release: Release; readonly etag: string | undefined };

/** How the release host is reached. */
export interface Transfer {
  readonly signal?: AbortSignal;
  /** URL of a proxy. */
  readonly proxy?: string;
}

const SUMS = "SHA256SUMS";
const SIGNATURE = "SHA256SUMS.minisig";
const FEED_MAX = 4 * 1024 * 1024;
const ARCHIVE_MAX = 512 * 1024 * 1024;
const QUIET_MS = 30_000;
const VERSION = /^v\d\d\.\d{4}\.\d{4}$/;

/** The feed of a repository on GitHub. */
export function githubFeed(repository: string): string {
  return `https://api.github.com/repos/${repository}/releases/latest`;
}

/** Whether `version` is later than `than`. Versions sort as text: all their parts have a fixed width. */
export function isNewer(version: string, than: string): boolean {
  return VERSION.test(version) && version > than;
}

/** The archive of this system: `iddio-linux-x64-musl.tar.gz`. */
export function archiveName(): string {
  const isMusl =
    process.platform === "linux" &&
    existsSync("/lib") &&
    readdirSync("/lib").some((name) => name.startsWith("ld-musl-")) &&
    !existsSync("/lib64/ld-linux-x86-64.so.2") &&
    !existsSync("/lib/ld-linux-aarch64.so.1");
  return `iddio-${process.platform}-${process.arch}${isMusl ? "-musl" : ""}.tar.gz`;
}

/** Asks the feed. Throws a `UserError` when it cannot be reached or makes no sense. */
export async function fetchRelease(
  feed: string,
  etag: string | undefined,
  transfer: Transfer,
): Promise<FeedAnswer> {
  const response = await get(feed, transfer, etag === undefined ? {} : { "if-none-match": etag });
  if (response.status === 304) return { kind: "unchanged" };
  const text = new TextDecoder().decode(await readAll(response, feed, FEED_MAX));
  const release = parseRelease(text);
  if (release === undefined)
    throw new UserError(`the feed '${feed}' does not describe a release`, {
      hint: "see the setting update_feed",
    });
  return { kind: "release", release, etag: response.headers.get("etag") ?? undefined };
}

/** Reads a release of the GitHub Releases API, or the first of a list of them. Undefined when it is none. */
export function parseRelease(text: string): Release | undefined {
  try {
    const parsed = JSON.parse(text) as unknown;
    const release = (Array.isArray(parsed) ? parsed.find((each) => each?.draft !== true) : parsed) as {
      tag_name?: unknown;
      assets?: unknown;
    } | null;
    if (typeof release?.tag_name !== "string" || !VERSION.test(release.tag_name)) return undefined;
    const assets = new Map<string, string>();
    for (const { name, browser_download_url } of release.assets as {
      name: unknown;
      browser_download_url: unknown;
    }[])
      if (
        typeof name === "string" &&
        typeof browser_download_url === "string" &&
        URL.canParse(browser_download_url)
      )
        assets.set(name, browser_download_url);
    return { version: release.tag_name, assets };
  } catch {
    return undefined;
  }
}

/** The inputs of a download. */
export interface DownloadOptions extends Transfer {
  /** A folder of our own; made if it is not there. */
  readonly folder: string;
  readonly publicKey: string;
  readonly env: Environment;
  readonly onProgress?: (received: number, total: number) => void;
}

/** Downloads, verifies and unpacks a release; gives the path of its program, which has been run once. */
export async function downloadRelease(release: Release, options: DownloadOptions): Promise<string> {
  const { folder, publicKey } = options;
  const name = archiveName();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const program = join(folder, "iddio");
  const archive = join(folder, `${name}.part`);
  try {
    const sums = await readAll(await get(assetOf(release, SUMS), options), SUMS, FEED_MAX);
    const signature = await readAll(await get(assetOf(release, SIGNATURE), options), SIGNATURE, FEED_MAX);
    const verified = verifyMinisign(sums, new TextDecoder().decode(signature), publicKey);
    if ("problem" in verified) throw untrusted(release, verified.problem);
    if (verified.trustedComment !== `iddio ${release.version}`)
      throw untrusted(release, `the signature is for '${verified.trustedComment}'`);
    const wanted = new RegExp(`^([0-9a-f]{64})  ${RegExp.escape(name)}$`, "m").exec(
      new TextDecoder().decode(sums),
    )?.[1];
    if (wanted === undefined)
      throw new UserError(`${release.version} has no ${name}`, { hint: "wait for the next release" });
    if ((await download(assetOf(release, name), archive, options)) !== wanted)
      throw untrusted(release, `the checksum of ${name} is not the release's`);
    await unpackMember(archive, "iddio", program, 0o755);
    const { version } = await askProgram(program, options.env);
    if (version !== release.version) throw untrusted(release, `the program in it is ${version}`);
    return program;
  } catch (error) {
    await rm(program, { force: true });
    throw error instanceof UserError ? error : unwritable(folder, error);
  } finally {
    await rm(archive, { force: true });
  }
}

function assetOf(release: Release, name: string): string {
  const url = release.assets.get(name);
  if (url !== undefined) return url;
  throw new UserError(`${release.version} has no ${name}`, { hint: "wait for the next release" });
}

function untrusted(release: Release, problem: string): UserError {
  return new UserError(`${release.version} was not installed: ${problem}`, {
    hint: "try again; if it fails again, do not use it and report it to the project",
  });
}

function unwritable(folder: string, cause: unknown): UserError {
  const why =
    errorCode(cause) === "ENOSPC"
      ? "the disk is full"
      : cause instanceof Error
        ? cause.message
        : String(cause);
  return new UserError(`cannot keep the download in '${folder}': ${why}`, {
    hint: "free some space there; nothing was changed",
    cause,
  });
}

/** Streams into the file; gives the SHA-256. */
async function download(url: string, target: string, options: DownloadOptions): Promise<string> {
  const response = await get(url, options);
  const total = Number(response.headers.get("content-length") ?? 0);
  const hash = createHash("sha256");
  const file = await open(target, "w", 0o600);
  let received = 0;
  try {
    for await (const chunk of chunksOf(response, url)) {
      received += chunk.length;
      if (received > ARCHIVE_MAX)
        throw new UserError(`'${url}' does not end`, { hint: "see the setting update_feed" });
      hash.update(chunk);
      for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
      options.onProgress?.(received, total);
    }
  } finally {
    await file.close();
  }
  if (total > 0 && received !== total) throw cut(url);
  return hash.digest("hex");
}

async function get(url: string, transfer: Transfer, headers: Record<string, string> = {}): Promise<Response> {
  checkAddress(url);
  const signals = [
    AbortSignal.timeout(10 * 60_000),
    ...(transfer.signal === undefined ? [] : [transfer.signal]),
  ];
  let response: Response;
  try {
    response = await fetchEach(url, {
      headers: { "user-agent": "iddio", accept: "application/vnd.github+json, */*", ...headers },
      signal: AbortSignal.any(signals),
      ...(transfer.proxy ? { proxy: transfer.proxy } : {}),
    });
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`cannot reach '${url}': ${cause instanceof Error ? cause.message : String(cause)}`, {
      hint: "try again later, or name a mirror: the setting update_feed",
      cause,
    });
  }
  if (response.ok || response.status === 304) return response;
  await response.body?.cancel();
  throw new UserError(`'${url}' answers ${response.status}`, {
    hint:
      response.status === 403 || response.status === 429
        ? "try again in an hour"
        : "see the setting update_feed",
  });
}

function checkAddress(url: string): void {
  if (!isSecureUrl(url))
    throw new UserError(`'${url}' is not https`, { hint: "see the setting update_feed" });
}

const MAX_REDIRECTS = 5;

/** Follows redirects one by one: each address is held to the same rule as the first. */
async function fetchEach(url: string, options: BunFetchRequestInit): Promise<Response> {
  let at = url;
  for (let followed = 0; ; followed += 1) {
    checkAddress(at);
    const response = await fetch(at, { ...options, redirect: "manual" });
    const location = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return response;
    await response.body?.cancel();
    if (followed === MAX_REDIRECTS || !URL.canParse(location, at))
      throw new UserError(`'${url}' is redirected without end`, { hint: "see the setting update_feed" });
    at = new URL(location, at).href;
  }
}

async function readAll(response: Response, url: string, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(response, url)) {
    size += chunk.length;
    if (size > limit) throw new UserError(`'${url}' is larger than it may be`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The body, with a bound on silence; a connection that ends too early is said as that. */
async function* chunksOf(response: Response, url: string): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { promise: silence, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(() => reject(cut(url)), QUIET_MS);
      const part = await Promise.race([reader.read(), silence]).finally(() => clearTimeout(timer));
      if (part.done) return;
      yield part.value;
    }
  } catch (error) {
    throw error instanceof UserError ? error : cut(url, error);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function cut(url: string, cause?: unknown): UserError {
  return new UserError(`the download of '${url}' was cut off`, { hint: "try again", cause });
}
