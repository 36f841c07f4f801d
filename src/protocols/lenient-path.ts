// What careless servers make of a path that has more than one reading: decoded more than
// once, backslashes taken for slashes, empty segments dropped, dots climbed or kept. Never
// a ground for letting a request through; only for not treating it better than any reading.

/** Every distinct lenient reading of an ambiguous path, as decoded segments. */
export function lenientReadings(path: string): readonly (readonly string[])[] {
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
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
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
