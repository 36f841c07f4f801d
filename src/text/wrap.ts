// Long text as lines of a given width. `wrapWords` is for our own prose; `breakColumns` is for text
// from outside, of which nothing may be lost: it breaks anywhere and drops nothing, not even a
// blank.

import { displayWidth } from "./display-width.ts";

/** Lines of at most `width` columns, broken at blanks; a word that is longer has a line of its own. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}

/**
 * Printable text cut into pieces of at most `width` columns, at least one. Beyond ASCII every character is
 * taken for two columns: terminals disagree about such widths, and text that is drawn wider than it was
 * counted would be overwritten.
 */
export function breakColumns(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const character of text) {
    const columns = character >= " " && character <= "~" ? 1 : 2;
    if (used + columns > width && line !== "") {
      lines.push(line);
      line = "";
      used = 0;
    }
    line += character;
    used += columns;
  }
  lines.push(line);
  return lines;
}

/** At most `width` columns, counted as `breakColumns` counts; longer text is cut off with `...`. */
export function cutColumns(text: string, width: number): string {
  const [first = "", ...rest] = breakColumns(text, width);
  if (rest.length === 0) return first;
  return width <= 3 ? "...".slice(0, width) : `${breakColumns(text, width - 3)[0] ?? ""}...`;
}
