// Feeds the files of an audit log to the verification, line by line; memory does not grow with
// them. Owns which files belong to a log, and that a line ends at a newline and nowhere else.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { UserError } from "../../model/user-error.ts";
import { type ChainReport, ChainVerification, type ExpectedRow } from "./verify-chain.ts";

const MAX_COPIES = 100;
const MAX_LINE_BYTES = 1024 * 1024;

/** Verifies the files that are given, else the log and its renamed copies, oldest first. */
export async function verifyFiles(
  audit: string,
  given: readonly string[],
  expected: readonly ExpectedRow[],
): Promise<{ readonly files: readonly string[]; readonly report: ChainReport }> {
  const files = given.length > 0 ? given : [...(await copiesOf(audit)), audit];
  const verification = new ChainVerification(expected);
  for (const file of files) {
    const found = await stat(file).catch(() => undefined);
    if (found === undefined || !found.isFile())
      throw new UserError(`'${file}' is ${found === undefined ? "not there" : "not a file"}`, {
        hint: "the log is audit.jsonl in the state directory",
      });
    let number = 0;
    for await (const line of linesOf(file)) verification.line(line, file, ++number);
  }
  return { files, report: verification.finish(files.at(-1) ?? audit) };
}

/** Split at newlines alone: a row may hold other line ends. A line beyond the bound is given cut, and is no row then. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      pieces.push(chunk.subarray(start, end));
      yield Buffer.concat(pieces).toString("utf8");
      pieces = [];
      length = 0;
      start = end + 1;
    }
    length += chunk.length - start;
    if (length <= MAX_LINE_BYTES) pieces.push(chunk.subarray(start));
  }
  if (length > 0) yield Buffer.concat(pieces).toString("utf8");
}

/** `audit.jsonl.3`, `audit.jsonl.2`, `audit.jsonl.1`, as far as they are there. */
async function copiesOf(audit: string): Promise<string[]> {
  const copies: string[] = [];
  for (let number = 1; number <= MAX_COPIES; number += 1) {
    const path = `${audit}.${number}`;
    if (!(await stat(path).catch(() => undefined))?.isFile()) break;
    copies.unshift(path);
  }
  return copies;
}
