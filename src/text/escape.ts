// Makes text from outside safe to print: characters that a terminal would obey, reorder or hide are
// shown as escapes instead. Every string that an agent, an upstream or a file could have chosen
// passes here before it reaches a terminal, because a person decides by the shown text.

// Cc: C0, DEL, C1. Cf: bidirectional controls, zero-width characters, tags, soft hyphen. Cs: lone
// surrogates. Zl, Zp: line breaks that grep does not see. Default_Ignorable: fillers and variation selectors.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const SHORT: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\0": "\\0",
  "\x1b": "\\e",
};

/** One line of text with control, bidirectional and zero-width characters made visible; nothing is dropped. */
export function escapeForTerminal(text: string): string {
  return text.replace(UNSAFE, visible);
}

/** As escapeForTerminal, for a text of many lines: line feeds and tabs stay. */
export function escapeLinesForTerminal(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === "\n" || character === "\t" ? character : visible(character),
  );
}

/** JSON text in which nothing hides either: the same value, with unsafe characters as `\\uXXXX`; line feeds stay. */
export function escapeJson(json: string): string {
  return json.replace(UNSAFE, (character) =>
    character === "\n"
      ? character
      : [...Array(character.length).keys()]
          .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`)
          .join(""),
  );
}

function visible(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length <= 2 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`;
}
