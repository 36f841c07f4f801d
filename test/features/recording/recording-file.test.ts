// The file of a recording on a disk that fills up: what was taken is whole lines in order, what was
// not is a failure that is told, and nothing is lost in between.

import { expect, test } from "bun:test";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { RecordingFile, type RecordingHandle } from "../../../src/gateway/stream/recording-file.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

/** A disk with so much room, which takes a few octets at a time. */
function disk(room: number) {
  let text = "";
  const handle: RecordingHandle = {
    fd: -1,
    datasync: () => Promise.resolve(),
    close: () => Promise.resolve(),
    async write(bytes, offset, length) {
      const size = Math.min(length, 7, room - text.length);
      if (size === 0) throw new Error("ENOSPC: no space left on device");
      text += Buffer.from(bytes.subarray(offset, offset + size)).toString("latin1");
      return { bytesWritten: size };
    },
  };
  return { handle, text: () => text };
}

test("a piece that the disk takes in parts is written whole", async () => {
  const { handle, text } = disk(1_000_000);
  const file = new RecordingFile(handle, () => {});
  const lines = Array.from({ length: 50 }, (_, at) => `line ${at}`);
  for (const line of lines) file.add(line);
  await file.close();
  expect(text()).toBe(`${lines.join("\n")}\n`);
});

test("content of any length is one line of base64, between lines of text, and may change once it was added", async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, "content.jsonl");
  const file = await RecordingFile.create(path, '{"first":1}', () => {});
  const expected: string[] = ['{"first":1}'];
  const whole = crypto.getRandomValues(new Uint8Array(60_000));
  for (const length of [0, 1, 2, 3, 12_287, 12_288, 12_289, 40_001, 700_000]) {
    const sent = length > whole.length ? new Uint8Array(length).fill(length) : whole.slice(5, 5 + length);
    expected.push(JSON.stringify([1.5, "stdout", Buffer.from(sent).toString("base64")]), `"é😀 ${length}"`);
    file.addContent(1.5, "stdout", sent);
    sent.fill(0);
    file.add(`"é😀 ${length}"`);
  }
  await file.close();
  expect(await readFile(path, "utf8")).toBe(`${expected.join("\n")}\n`);
});

test("where it takes no more, that is told once, and nothing comes after the gap", async () => {
  const { handle, text } = disk(40);
  const problems: string[] = [];
  const file = new RecordingFile(handle, (why) => problems.push(why));
  for (let at = 0; at < 20; at += 1) file.add(`line ${at}`);
  await file.close();
  file.add("afterwards");
  expect(problems).toEqual(["ENOSPC: no space left on device"]);
  expect(text()).toBe("line 0\nline 1\nline 2\nline 3\nline 4\nline 5".slice(0, 40));
});

test("a real disk without room says so", async () => {
  const full = await open("/dev/full", "w").catch(() => undefined);
  if (full === undefined) return;
  const problems: string[] = [];
  const file = new RecordingFile(full, (why) => problems.push(why));
  file.add("a line");
  await file.close();
  expect(problems.join()).toContain("ENOSPC");
});

test("more than a queue holds is a failure too: a slow disk neither holds the session up nor loses part of it", async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, "slow.jsonl");
  const problems: string[] = [];
  const file = await RecordingFile.create(path, '{"first":1}', (why) => problems.push(why));
  const line = "x".repeat(1024 * 1024);
  for (let at = 0; at < 18; at += 1) file.add(line);
  await file.close();
  expect(problems).toEqual(["the disk is too slow for the recording"]);
  expect(await readFile(path, "utf8")).toBe(`{"first":1}\n${line}\n`);
});
