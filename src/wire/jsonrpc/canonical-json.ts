// JSON in the one form of RFC 8785, so that equal values have equal digests no matter who wrote
// them down. Numbers are those of JavaScript, as the standard demands; anyone who needs more of a
// number compares the text itself.

/** The canonical text of a value that came from JSON.parse. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    // UTF-16 code units, which is how JavaScript compares strings: RFC 8785 3.2.3.
    const names = Object.keys(value).sort();
    const members = names.map(
      (name) => `${JSON.stringify(name)}:${canonicalJson((value as Record<string, unknown>)[name])}`,
    );
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

/** A number that JavaScript cannot hold: two texts with different ones can parse to equal values. */
const LONG_NUMBER = /(?:^|[[{:,\s])-?(?:\d{16,}|\d+\.\d{15,}|\d+(?:\.\d+)?[eE][+-]?\d{2,})/;

/** Whether valid JSON text may hold a number that loses something by being parsed. May say yes without need, never no. */
export function mayLoseNumbers(text: string): boolean {
  return LONG_NUMBER.test(text);
}
