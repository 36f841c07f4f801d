// Finds every way in which careless servers may read an ambiguous path: decoded more than once,
// backslashes taken for slashes, empty segments dropped, dots climbed or kept. A reading is never a
// ground for letting a request through; it only makes the verdict stricter.

/** Longer paths are read in no way: no server serves them, and each reading is judged for itself. */
const MOST_LETTERS = 8192;

/** Every distinct lenient reading of an ambiguous path, as decoded segments; none of a path that is too long. */
export function lenientReadings(path: string): readonly (readonly string[])[] {
  if (path.length > MOST_LETTERS) return [];
  const readings = new Map<string, readonly string[]>();
  let text = path;
  for (let round = 0; round < 3; round++) {
    for (const segments of readingsOf(text)) readings.set(segments.join("/"), segments);
    text = decodeLoosely(text);
  }
  return [...readings.values()];
}

/** Decodes every well-formed escape once, octet by octet, and leaves the rest. */
export function decodeLoosely(text: string): string {
  let at = text.indexOf("%");
  if (at < 0) return text;
  let decoded = "";
  let from = 0;
  for (; at >= 0; at = text.indexOf("%", at)) {
    const high = hexDigit(text.charCodeAt(at + 1));
    const low = high < 0 ? -1 : hexDigit(text.charCodeAt(at + 2));
    if (low < 0) {
      at++;
      continue;
    }
    if (at > from) decoded += text.slice(from, at);
    decoded += OCTETS[high * 16 + low];
    at += 3;
    from = at;
  }
  return decoded + text.slice(from);
}

const OCTETS: readonly string[] = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet));

/** The value of a hex digit by its character code; -1 for any other character and behind the end. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function readingsOf(text: string): readonly (readonly string[])[] {
  // Servlet containers cut ";parameters" off each segment.
  const segments = text.split(/[/\\]/).map((segment) => segment.replace(/;.*$/, ""));
  const kept = segments.filter((segment) => segment !== "");
  const climbed: string[] = [];
  for (const segment of kept)
    if (segment === "..") climbed.pop();
    else if (segment !== ".") climbed.push(segment);
  return [kept, climbed];
}
