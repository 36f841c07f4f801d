// Text that somebody else chose, made safe to look at: characters that a browser would reorder,
// hide or break a line for are written out and marked. Everything that comes from a request passes
// here. It is text, never markup.

import type { ComponentChildren } from "preact";

// As in src/text/escape.ts: controls, bidirectional and zero-width characters, tags, fillers, lone surrogates.
/** Every character that a browser would reorder, hide or break a line for. */
export const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** One line; a line feed is written out too. */
export function Safe({ text }: { readonly text: string }): ComponentChildren {
  return pieces(text, () => false);
}

/** Many lines: line feeds and tabs stay. */
export function SafeLines({ text }: { readonly text: string }): ComponentChildren {
  return pieces(text, (character) => character === "\n" || character === "\t");
}

/** The same as one string, for places that take no elements; line feeds and tabs stay. */
export function writtenOut(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === "\n" || character === "\t" ? character : written(character),
  );
}

function pieces(text: string, isKept: (character: string) => boolean): ComponentChildren[] {
  const parts: ComponentChildren[] = [];
  let from = 0;
  for (const match of text.matchAll(UNSAFE)) {
    const [character] = match;
    if (isKept(character)) continue;
    if (match.index > from) parts.push(text.slice(from, match.index));
    parts.push(
      <span class="escaped" title="a character that cannot be seen, written out">
        {written(character)}
      </span>,
    );
    from = match.index + character.length;
  }
  parts.push(text.slice(from));
  return parts;
}

const SHORT: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\0": "\\0",
  "\x1b": "\\e",
};

function written(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return SHORT[character] ?? (hex.length <= 2 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`);
}
