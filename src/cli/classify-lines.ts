// `classify batch`: bytes in, one answer a line out, in order. Reads no more than it has answered,
// so a slow reader of the answers slows the writer of the rows. A line that is no row gets an
// answer too: anyone who zips questions and answers must not be thrown off by one bad line.

import { decodeContent } from "../gateway/message/content-coding.ts";
import { classifyRow } from "../protocols/batch.ts";

const LF = 0x0a;
/** Above what any request body that the gateway would read can be in base64. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;
const FLUSH_CHARS = 64 * 1024;

/** Answers every line but empty ones; `write` gets whole lines and may block. */
export async function classifyLines(
  input: AsyncIterable<Uint8Array>,
  write: (text: string) => void,
): Promise<void> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let isTooLong = false;
  for await (const chunk of input) {
    let answers = "";
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      answers += isTooLong ? tooLong() : answer([...pending, chunk.subarray(start, end)]);
      [pending, pendingBytes, isTooLong] = [[], 0, false];
      start = end + 1;
      if (answers.length >= FLUSH_CHARS) {
        write(answers);
        answers = "";
      }
    }
    pendingBytes += chunk.length - start;
    if (pendingBytes > MAX_LINE_BYTES) [pending, isTooLong] = [[], true];
    else if (start < chunk.length) pending.push(chunk.slice(start));
    if (answers !== "") write(answers);
  }
  const last = isTooLong ? tooLong() : answer(pending);
  if (last !== "") write(last);
}

function answer(pieces: readonly Uint8Array[]): string {
  const text = Buffer.concat(pieces).toString("utf8").trim();
  if (text === "") return "";
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch {
    return unreadable("the line is not JSON");
  }
  return `${JSON.stringify(classifyRow(row, decodeContent))}\n`;
}

function tooLong(): string {
  return unreadable(`the line is longer than ${MAX_LINE_BYTES} bytes`);
}

function unreadable(reason: string): string {
  return `${JSON.stringify({ id: null, protocol: "generic", tier: "unknown", command: "", labels: {}, reason })}\n`;
}
