// Signatures, feeds and archives as somebody might forge, cut or misspell them.

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tarGz } from "../../packaging/release/archive.ts";
import { minisign, newReleaseKeys } from "../../packaging/release/sign.ts";
import { verifyMinisign } from "../../src/host/release/minisign.ts";
import { fetchRelease, isNewer, parseRelease } from "../../src/host/release/release.ts";
import { unpackMember } from "../../src/host/release/unpack.ts";
import { packageOrigin } from "../../src/host/service/package-origin.ts";
import { linkArchive } from "../support/release/release-host.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const keyLine = (file: string) => file.trim().split("\n").at(-1) ?? "";

test("a signature counts for its own bytes, key and comment only", () => {
  const keys = newReleaseKeys();
  const key = keyLine(keys.publicKey);
  const content = Buffer.from("checksums");
  const good = minisign(content, keys.privateKey, "iddio v21.0101.0101");
  expect(verifyMinisign(content, good, key)).toEqual({ trustedComment: "iddio v21.0101.0101" });
  const other = newReleaseKeys();
  for (const [name, bytes, signature, by] of [
    ["other bytes", Buffer.from("checksumz"), good, key],
    ["another key", content, minisign(content, other.privateKey, "iddio v21.0101.0101"), key],
    ["another public key", content, good, keyLine(other.publicKey)],
    ["another comment", content, good.replace("v21", "v22"), key],
    ["the older kind of signature", content, good.replace(/^RU/m, "RW"), key],
    ["nothing", content, "", key],
    ["half of it", content, good.slice(0, good.length >> 1), key],
    ["no key", content, good, ""],
    ["a comment before the trusted one", content, good.replace(/^trusted comment:/m, "comment:"), key],
  ] as const)
    expect([name, verifyMinisign(bytes, signature, by)]).toEqual([name, { problem: expect.any(String) }]);
});

test("a feed that is no release is none", () => {
  const asset = { name: "a", browser_download_url: "https://x/a" };
  expect(parseRelease(JSON.stringify({ tag_name: "v21.0101.0101", assets: [asset] }))).toEqual({
    version: "v21.0101.0101",
    assets: new Map([["a", "https://x/a"]]),
  });
  expect(
    parseRelease(
      JSON.stringify([
        { draft: true, tag_name: "v22.0101.0101" },
        { tag_name: "v21.0101.0101", assets: [] },
      ]),
    )?.version,
  ).toBe("v21.0101.0101");
  for (const text of [
    "",
    "null",
    "[]",
    "{}",
    '{"tag_name":"latest","assets":[]}',
    '{"tag_name":"v21.0101.0101"}',
    '{"tag_name":"v1","assets":[]}',
  ])
    expect([text, parseRelease(text)]).toEqual([text, undefined]);
});

test("only a later version is newer", () => {
  for (const [version, than, wanted] of [
    ["v21.0101.0102", "v21.0101.0101", true],
    ["v22.0101.0000", "v21.1231.2359", true],
    ["v21.0101.0101", "v21.0101.0101", false],
    ["v20.0101.0101", "v21.0101.0101", false],
    ["v99", "v21.0101.0101", false],
    ["v21.0101.0101", "v0.0.0-dev", true],
  ] as const)
    expect([version, than, isNewer(version, than)]).toEqual([version, than, wanted]);
});

test("each address that a feed leads to is held to the rule of the first", async () => {
  let to = "";
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ url }) =>
      new URL(url).pathname === "/here"
        ? Response.json({ tag_name: "v21.0101.0101", assets: [] })
        : new Response(null, { status: 302, headers: { location: to } }),
  });
  const feed = `http://127.0.0.1:${server.port}/`;
  for (const [location, says] of [
    ["http://releases.invalid/feed", "is not https"],
    ["file:///etc/passwd", "is not https"],
    ["/again", "redirected without end"],
    [`http://127.0.0.1:${server.port}.invalid/`, "redirected without end"],
    [`http://127.0.0.1:${server.port}@releases.invalid/`, "is not https"],
  ] as const) {
    to = location;
    await expect(fetchRelease(feed, undefined, {})).rejects.toThrow(says);
  }
  to = "/here";
  expect(await fetchRelease(feed, undefined, {})).toMatchObject({ kind: "release" });
});

test("a link in an archive is not the program", async () => {
  await using at = await temporaryDirectory();
  const archive = join(at.path, "a.tar.gz");
  await writeFile(archive, linkArchive("iddio", "/bin/sh"));
  const target = join(at.path, "iddio");
  await expect(unpackMember(archive, "iddio", target, 0o755)).rejects.toThrow("does not hold");
  expect(existsSync(target)).toBe(false);
});

test("a feed is asked over https, and again only for what has changed", async () => {
  await expect(fetchRelease("http://example.com/feed", undefined, {})).rejects.toThrow("is not https");
  const asked: (string | null)[] = [];
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      asked.push(request.headers.get("if-none-match"));
      if (new URL(request.url).pathname === "/limited") return new Response("slow down", { status: 429 });
      if (request.headers.get("if-none-match") === '"one"') return new Response(null, { status: 304 });
      return Response.json({ tag_name: "v21.0101.0101", assets: [] }, { headers: { etag: '"one"' } });
    },
  });
  const feed = `http://127.0.0.1:${server.port}/`;
  const first = await fetchRelease(feed, undefined, {});
  expect(first).toMatchObject({ kind: "release", etag: '"one"' });
  expect(await fetchRelease(feed, '"one"', {})).toEqual({ kind: "unchanged" });
  expect(asked).toEqual([null, '"one"']);
  await expect(fetchRelease(`${feed}limited`, undefined, {})).rejects.toThrow("answers 429");
});

test("one member of an archive is unpacked whole, or not at all", async () => {
  await using directory = await temporaryDirectory();
  const content = Buffer.from("x".repeat(300_001));
  const files = [
    { path: "LICENSE", mode: 0o644, content: Buffer.from("free") },
    { path: "iddio", mode: 0o755, content },
    { path: "share/man/man1/iddio.1", mode: 0o644, content: Buffer.from(".TH") },
  ];
  const bytes = tarGz(files, 0);
  const archive = join(directory.path, "a.tar.gz");
  const target = join(directory.path, "iddio");
  await writeFile(archive, bytes);
  await unpackMember(archive, "iddio", target, 0o755);
  expect(readFileSync(target).equals(content)).toBe(true);
  for (const [name, damaged, member] of [
    ["cut", bytes.subarray(0, bytes.length - 20), "iddio"],
    ["cut early", bytes.subarray(0, 100), "iddio"],
    ["not gzip", Buffer.from("hello"), "iddio"],
    ["without it", bytes, "other"],
  ] as const) {
    await writeFile(archive, damaged);
    const into = join(directory.path, "into");
    await expect(unpackMember(archive, member, into, 0o755)).rejects.toThrow();
    expect([name, existsSync(into)]).toEqual([name, false]);
  }
});

test("what Homebrew or dpkg placed is theirs to replace", async () => {
  await using directory = await temporaryDirectory();
  const cellar = join(directory.path, "Cellar/iddio/26.0101.0101/bin");
  await mkdir(cellar, { recursive: true });
  await writeFile(join(cellar, "iddio"), "");
  await symlink(join(cellar, "iddio"), join(directory.path, "iddio"));
  expect((await packageOrigin(join(directory.path, "iddio"), directory.path))?.manager).toBe("Homebrew");
  await mkdir(join(directory.path, "var/lib/dpkg/info"), { recursive: true });
  await writeFile(join(directory.path, "var/lib/dpkg/info/iddio.list"), "/.\n/usr/bin/iddio-x\n");
  expect((await packageOrigin("/usr/bin/iddio-x", directory.path))?.manager).toBe("dpkg");
  expect(await packageOrigin("/home/u/.local/bin/iddio", directory.path)).toBeUndefined();
});
