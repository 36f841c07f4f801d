// Splits one simple command line into words, as a POSIX shell does with quotes and backslashes.
// Whatever would make the shell do more than start one program (pipes, variables, globs that
// expand, substitutions) is refused: its words are not known from the text alone.

const SPECIAL = /[|&;<>()`$\n\r*?[\]{}~#!]/;

/** The words, or why they are not known. */
export function shellWords(line: string): readonly string[] | { readonly problem: string } {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (char === " " || char === "\t") {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === "'") {
      const end = line.indexOf("'", at + 1);
      if (end < 0) return { problem: "a ' is never closed" };
      word = (word ?? "") + line.slice(at + 1, end);
      at = end;
    } else if (char === '"') {
      const inner = doubleQuoted(line, at);
      if (typeof inner.end !== "number") return { problem: inner.problem };
      word = (word ?? "") + inner.text;
      at = inner.end;
    } else if (char === "\\") {
      if (at + 1 >= line.length) return { problem: "it ends on a backslash" };
      word = (word ?? "") + line.charAt(++at);
    } else if (SPECIAL.test(char)) {
      return { problem: `the shell reads '${char}' in its own way; put it in quotes` };
    } else word = (word ?? "") + char;
  }
  if (word !== undefined) words.push(word);
  return words;
}

type Quoted =
  | { readonly text: string; readonly end: number; readonly problem?: never }
  | { readonly problem: string; readonly end?: never; readonly text?: never };

function doubleQuoted(line: string, start: number): Quoted {
  let text = "";
  for (let at = start + 1; at < line.length; at++) {
    const char = line.charAt(at);
    if (char === '"') return { text, end: at };
    if (char === "$" || char === "`")
      return { problem: `the shell reads '${char}' in its own way, also inside "…"` };
    if (char === "\\" && '"\\$`'.includes(line.charAt(at + 1)) && at + 1 < line.length)
      text += line.charAt(++at);
    else text += char;
  }
  return { problem: 'a " is never closed' };
}
