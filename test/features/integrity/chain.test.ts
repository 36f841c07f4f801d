// The chain of the audit log: it survives crashes, full disks and restarts, and whatever is changed
// in between is found.

import { describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { CHECKPOINT, signCheckpoint } from "../../../src/features/integrity/checkpoint.ts";
import { ChainVerification, type ExpectedRow } from "../../../src/features/integrity/verify-chain.ts";
import { verifyFiles } from "../../../src/features/integrity/verify-files.ts";
import type { Entry } from "../../../src/model/entry.ts";
import { headBehind, JournalChain, NO_LINE, WantedChain } from "../../../src/state/journal/chain.ts";
import { Journal } from "../../../src/state/journal/journal.ts";
import { startDaemon } from "../../support/daemon.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const row = (path: string): Entry => ({
  timestamp_ms: 1_700_000_000_000,
  op: "mitm",
  hash: "0".repeat(32),
  fields: { path },
});
const plain = (path: string) => `${JSON.stringify(row(path))}\n`;

function verify(lines: readonly string[], expected: readonly ExpectedRow[] = []) {
  const verification = new ChainVerification(expected);
  lines.forEach((line, index) => {
    verification.line(line.replace(/\n$/, ""), "audit.jsonl", index + 1);
  });
  return verification.finish("audit.jsonl");
}

function chained(count: number): string[] {
  return [...new JournalChain(NO_LINE).link(Array.from({ length: count }, (_, each) => plain(`/${each}`)))];
}

describe("what somebody does to the file", () => {
  test("nothing: the chain is whole", () => {
    expect(verify(chained(10))).toMatchObject({ linkedRows: 10, beginnings: 1, breaks: [] });
  });

  test("any one row changed, removed, moved or put in between is found", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 18 }),
        fc.constantFrom("change", "remove", "swap", "repeat", "insert"),
        (at, what) => {
          const lines = chained(20);
          const line = lines[at] ?? "";
          const next = lines[at + 1] ?? "";
          if (what === "change") lines[at] = line.replace(`"/${at}"`, '"/other"');
          if (what === "remove") lines.splice(at, 1);
          if (what === "swap") lines.splice(at, 2, next, line);
          if (what === "repeat") lines.splice(at, 0, line);
          if (what === "insert") lines.splice(at + 1, 0, plain("/forged"));
          // The first rows of a file may have been moved away with another: only a known row tells.
          const isBeginning = what === "remove" && at === 0;
          expect(verify(lines).breaks.length > 0).toBe(!isBeginning);
        },
      ),
    );
  });

  test("rows cut off at either end are found by a row that is known from elsewhere", () => {
    const lines = chained(20);
    const { head } = verify(lines);
    if (head === undefined) throw new Error("no head");
    expect(verify(lines, [head]).breaks).toEqual([]);
    expect(verify(lines.slice(0, 19), [head]).breaks[0]?.what).toContain("row 20");
    const [first] = lines;
    const known = verify([first ?? ""]).head;
    if (known === undefined) throw new Error("no head");
    expect(verify(lines.slice(1), [known]).breaks[0]?.what).toContain("row 1");
  });

  test("a whole chain made again is found by the key of its checkpoints", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const chain = new JournalChain(NO_LINE);
    const first = chain.link([plain("/a")]);
    chain.keep(first, 1_000_000);
    const fields = { command: CHECKPOINT, ...signCheckpoint(chain.head, privateKey) };
    const checkpoint = (more: object) =>
      chain.link([`${JSON.stringify({ ...row(""), op: "control", fields: { ...fields, ...more } })}\n`]);
    expect(verify([...first, ...checkpoint({})])).toMatchObject({
      checkpoints: 1,
      breaks: [],
      keys: [fields.public_key],
    });
    for (const forged of [
      { chain_head: "1".repeat(64) },
      { chain_seq: 7 },
      { signature: "AAAA" },
      { public_key: "AAAA" },
    ])
      expect(verify([...first, ...checkpoint(forged)]).breaks).toHaveLength(1);
  });
});

describe("what happens to the file", () => {
  test("a restart goes on behind the last row, a line that a crash cut off breaks nothing", async () => {
    await using folder = await temporaryDirectory();
    const path = join(folder.path, "audit.jsonl");
    for (const part of ["a", "b"]) {
      const wanted = new WantedChain(path, () => true);
      const journal = await Journal.open(path, { chain: () => wanted.current() });
      await Promise.all([journal.append(row(`/${part}1`)), journal.append(row(`/${part}2`))]);
      await journal.close();
    }
    const { report } = await verifyFiles(path, [], []);
    expect(report).toMatchObject({ linkedRows: 4, beginnings: 1, breaks: [] });
    await appendFile(path, '{"timestamp_ms":17');
    const wanted = new WantedChain(path, () => true);
    const journal = await Journal.open(path, { chain: () => wanted.current() });
    await journal.append(row("/after"));
    await journal.close();
    expect((await verifyFiles(path, [], [])).report.linkedRows).toBe(5);
  });

  test("only what reached the file is in the chain", () => {
    const chain = new JournalChain(NO_LINE);
    const lines = chain.link([plain("/a"), plain("/b"), plain("/c")]);
    const [first = "", second = ""] = lines;
    chain.keep(lines, Buffer.byteLength(first) + Buffer.byteLength(second) + 5);
    expect(chain.head).toEqual(headBehind(second.trimEnd()));
    const again = chain.link([plain("/c")]);
    expect(verify([first, second, ...again]).breaks).toEqual([]);
  });

  test("a chain that is turned on later begins behind the rows that are there, and tells if they change", async () => {
    await using folder = await temporaryDirectory();
    const path = join(folder.path, "audit.jsonl");
    let isOn = false;
    const wanted = new WantedChain(path, () => isOn);
    const journal = await Journal.open(path, { chain: () => wanted.current() });
    await journal.append(row("/before"));
    isOn = true;
    await journal.append(row("/chained"));
    await journal.append(row("/chained-too"));
    await journal.close();
    expect((await verifyFiles(path, [], [])).report).toMatchObject({
      linkedRows: 2,
      plainRows: 1,
      breaks: [],
    });
    await writeFile(path, (await readFile(path, "utf8")).replace("/before", "/forged"));
    expect((await verifyFiles(path, [], [])).report.breaks[0]?.what).toContain("the line before it");
  });

  test("line ends inside of a row are none", async () => {
    await using folder = await temporaryDirectory();
    const path = join(folder.path, "audit.jsonl");
    const wanted = new WantedChain(path, () => true);
    const journal = await Journal.open(path, { chain: () => wanted.current() });
    for (const text of ["a\u2028b", "c\rd", "e\u0085f", "g"]) await journal.append(row(text));
    await journal.close();
    expect((await verifyFiles(path, [], [])).report).toMatchObject({ linkedRows: 4, breaks: [] });
  });
});

test("the daemon chains its rows once the setting is on", async () => {
  await using daemon = await startDaemon({
    policy: "generic:\n  inspect: [api.example.com]\n",
    settings: "audit_chain: on\n",
  });
  for (const host of ["a.example.com", "b.example.com"]) await daemon.control.call("pins_add", { host });
  await daemon.rowsWhen((rows) => rows.length >= 2);
  const { report } = await verifyFiles(join(daemon.home, "audit.jsonl"), [], []);
  expect(report.linkedRows).toBeGreaterThanOrEqual(2);
  expect(report.breaks).toEqual([]);
}, 120_000);
