// JSON as no two parsers read it differently: objects in which a member comes twice are refused,
// because some parsers keep the first and some the last. Size and depth are bounded. Does not know
// what the JSON means.

/** How much JSON is read. */
export interface JsonBounds {
  /** Deeper nesting is refused. */
  readonly depth: number;
  /** Members, items and brackets together. */
  readonly values: number;
}

/** Parsers of other languages stop at a depth of about a hundred; what clients send to be judged has far fewer values. */
const REQUEST_BOUNDS: JsonBounds = { depth: 200, values: 40_000 };

/** The value, or why none is certain. */
export type StrictJson = { readonly value: unknown } | { readonly problem: string };

/** Parses JSON text (RFC 8259, no byte order mark) without repeated members. */
export function parseStrictJson(text: string, bounds: JsonBounds = REQUEST_BOUNDS): StrictJson {
  const problem = problemOfMembers(text, bounds);
  if (problem !== undefined) return { problem };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { problem: "the body is not JSON" };
  }
}

/** The characters that JSON has outside of strings beside brackets and commas: blanks, numbers and three words. */
const IS_BARE: readonly boolean[] = Array.from({ length: 128 }, (_, code) =>
  " \t\r\n:0123456789+-.eEtrufalsn".includes(String.fromCharCode(code)),
);

/** Walks the text once, to the first character that is not JSON's; JSON.parse then proves that it is JSON. */
function problemOfMembers(text: string, { depth, values: most }: JsonBounds): string | undefined {
  /** One entry a bracket: the names so far, or undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let isName = false;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code === 0x2c || code === 0x7b || code === 0x5b) && ++values > most)
      return "JSON of too many values";
    switch (code) {
      case 0x7b: // {
        open.push(new Set());
        isName = true;
        if (open.length > depth) return "JSON nested too deeply";
        break;
      case 0x5b: // [
        open.push(undefined);
        isName = false;
        if (open.length > depth) return "JSON nested too deeply";
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        isName = false;
        break;
      case 0x2c: // ,
        isName = open.at(-1) !== undefined;
        break;
      case 0x22: {
        const end = endOfString(text, at);
        if (end < 0) return "the body is not JSON";
        const names = open.at(-1);
        if (isName && names !== undefined) {
          const name = nameOf(text.slice(at, end + 1));
          if (name === undefined) return "the body is not JSON";
          if (names.has(name)) return `'${name.slice(0, 40)}' comes twice in one object`;
          names.add(name);
        }
        isName = false;
        at = end;
        break;
      }
      default:
        // A text that is no JSON at all is told at once, however long it is.
        if (IS_BARE[code] !== true) return "the body is not JSON";
    }
  }
  return undefined;
}

/** Where the string that opens at `from` closes; -1 when it does not. */
function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}

function nameOf(quoted: string): string | undefined {
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}
