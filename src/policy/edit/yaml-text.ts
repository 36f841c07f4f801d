// Looks at a policy file's characters before the YAML library does: size, characters that a reader
// would not see, and the two shapes of nesting that make the library recurse for seconds.

import type { Problems } from "../parse/problems.ts";

/** The largest policy file, in UTF-8 bytes. */
export const MAX_POLICY_BYTES = 1024 * 1024;

const MAX_OPEN_BRACKETS = 200;

// Controls other than tab and line ends, surrogates without a partner, directional overrides and zero-width characters:
// with them a policy could show one thing and mean another.
const INVISIBLE =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]|\p{Cs}/u;

const DEEP_BLOCK = /^[ \t]*(?:[-?:][ \t]+){50}/m;

/** The text to parse, without a byte order mark; undefined when it must not be parsed at all. */
export function checkText(text: string, problems: Problems): string | undefined {
  const start = { line: 1, column: 1 };
  if (text.length > MAX_POLICY_BYTES || utf8Length(text) > MAX_POLICY_BYTES) {
    problems.error(start, "", "the file is larger than 1 MiB", "use globs instead of long lists");
    return undefined;
  }
  const body = text.startsWith("\ufeff") ? text.slice(1) : text;
  const odd = INVISIBLE.exec(body) ?? /\r(?!\n)/.exec(body);
  if (odd !== null) {
    const code = (odd[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const what =
      odd[0] === "\r" ? "a carriage return without a line feed" : `the invisible character U+${code}`;
    problems.error(positionOf(body, odd.index), "", `the file holds ${what}`, "remove it");
    return undefined;
  }
  const deep = DEEP_BLOCK.exec(body)?.index ?? tooManyBrackets(body);
  if (deep !== undefined) {
    problems.error(positionOf(body, deep), "", "this is nested too deeply");
    return undefined;
  }
  return body;
}

// Counts brackets in comments and texts too: real policies come nowhere near, and it costs one pass.
function tooManyBrackets(text: string): number | undefined {
  let open = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) open++;
    else if ((code === 0x5d || code === 0x7d) && open > 0) open--;
    if (open > MAX_OPEN_BRACKETS) return at;
  }
  return undefined;
}

function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) bytes += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

function positionOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const lineStart = Math.max(before.lastIndexOf("\n"), before.lastIndexOf("\r")) + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}
