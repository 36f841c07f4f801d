// Where a value stands in JSON text, so that a part can be taken out and every other octet stays as
// it was sent. Only for text that `parseStrictJson` has accepted: there is no check for invalid
// JSON.

/** Half-open range of a text, in UTF-16 code units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The value below these member names; undefined when there is none. */
export function spanAt(text: string, path: readonly string[]): Span | undefined {
  let span: Span | undefined = valueAt(text, skipSpace(text, 0));
  for (const name of path) {
    if (span === undefined || text[span.start] !== "{") return undefined;
    span = membersOf(text, span).find((member) => member.name === name)?.value;
  }
  return span;
}

/** The members of the object at `span`, each with the range of the whole member. */
export function membersOf(
  text: string,
  span: Span,
): readonly { readonly name: string; readonly whole: Span; readonly value: Span }[] {
  const members: { name: string; whole: Span; value: Span }[] = [];
  let at = skipSpace(text, span.start + 1);
  while (at < span.end && text[at] === '"') {
    const key = valueAt(text, at);
    const value = valueAt(text, skipSpace(text, skipSpace(text, key.end) + 1));
    members.push({
      name: JSON.parse(text.slice(key.start, key.end)) as string,
      whole: { start: at, end: value.end },
      value,
    });
    at = skipSpace(text, value.end);
    if (text[at] !== ",") break;
    at = skipSpace(text, at + 1);
  }
  return members;
}

/** The elements of the array at `span`. */
export function elementsOf(text: string, span: Span): readonly Span[] {
  const elements: Span[] = [];
  let at = skipSpace(text, span.start + 1);
  while (at < span.end && text[at] !== "]") {
    const value = valueAt(text, at);
    elements.push(value);
    at = skipSpace(text, value.end);
    if (text[at] !== ",") break;
    at = skipSpace(text, at + 1);
  }
  return elements;
}

/** The text without those items of one list (members or elements), commas closed up. `all` are its items in order. */
export function without(text: string, all: readonly Span[], isDropped: (index: number) => boolean): string {
  const [first] = all;
  const last = all.at(-1);
  if (first === undefined || last === undefined) return text;
  const kept = all.filter((_, index) => !isDropped(index)).map(({ start, end }) => text.slice(start, end));
  return text.slice(0, first.start) + kept.join(",") + text.slice(last.end);
}

function valueAt(text: string, start: number): Span {
  const first = text[start];
  if (first === '"') return { start, end: endOfString(text, start) };
  if (first !== "{" && first !== "[") {
    let end = start;
    while (end < text.length && !/[\s,\]}]/.test(text[end] ?? "")) end++;
    return { start, end };
  }
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfString(text, at) - 1;
    else if (code === 0x7b || code === 0x5b) depth++;
    else if ((code === 0x7d || code === 0x5d) && --depth === 0) return { start, end: at + 1 };
  }
  return { start, end: text.length };
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x22) return at + 1;
  }
  return text.length;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && /[ \t\r\n]/.test(text[at] ?? "")) at++;
  return at;
}
