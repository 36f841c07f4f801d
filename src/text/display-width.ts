// How many columns a terminal gives to a text. Owns the widths only; escaping comes before, so
// control characters do not occur here.

const MARK = /\p{Mark}/u;
// Wide and fullwidth blocks of Unicode's EastAsianWidth.txt, and emoji, which terminals draw double.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{1f300}-\u{1f64f}\u{1f680}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
const PLAIN = /^[\x20-\x7e]*$/;

/** Columns taken by one line of printable text: combining marks take none, wide characters two. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += MARK.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}
