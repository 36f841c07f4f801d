// The difference of two texts as people read it: lines that went with `-`, lines that came with
// `+`, three lines around them. Lines are compared whole. Meant for two texts that differ a
// little; a long rewrite is shown as one change.

const CONTEXT = 3;
/** Cells of the table that finds what both texts share; beyond it everything between the first and the last change went. */
const MAX_CELLS = 4_000_000;

type Mark = " " | "-" | "+";

/** Lines of a unified diff without file names; empty when nothing differs. */
export function lineDiff(before: string, after: string): readonly string[] {
  const [old, fresh] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start++;
  let [oldEnd, freshEnd] = [old.length, fresh.length];
  while (oldEnd > start && freshEnd > start && old[oldEnd - 1] === fresh[freshEnd - 1]) {
    oldEnd--;
    freshEnd--;
  }
  const marked: (readonly [mark: Mark, line: string])[] = [
    ...old.slice(0, start).map((line) => [" ", line] as const),
    ...between(old.slice(start, oldEnd), fresh.slice(start, freshEnd)),
    ...old.slice(oldEnd).map((line) => [" ", line] as const),
  ];
  return hunks(marked);
}

function between(old: readonly string[], fresh: readonly string[]): readonly (readonly [Mark, string])[] {
  const went = old.map((line) => ["-", line] as const);
  const came = fresh.map((line) => ["+", line] as const);
  if (old.length * fresh.length > MAX_CELLS) return [...went, ...came];
  const width = fresh.length + 1;
  // At [i][j]: the longest run of lines that the rests from i and j share.
  const longest = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number) => longest[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = fresh.length - 1; j >= 0; j--)
      longest[i * width + j] =
        old[i] === fresh[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const marked: (readonly [Mark, string])[] = [];
  let [i, j] = [0, 0];
  while (i < old.length && j < fresh.length) {
    if (old[i] === fresh[j]) {
      marked.push([" ", old[i] ?? ""]);
      i++;
      j++;
    } else if (at(i + 1, j) >= at(i, j + 1)) marked.push(["-", old[i++] ?? ""]);
    else marked.push(["+", fresh[j++] ?? ""]);
  }
  return [...marked, ...went.slice(i), ...came.slice(j)];
}

function hunks(marked: readonly (readonly [Mark, string])[]): readonly string[] {
  const near = marked.map((_, index) =>
    marked.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(([mark]) => mark !== " "),
  );
  const lines: string[] = [];
  let [oldLine, freshLine] = [1, 1];
  marked.forEach(([mark, line], index) => {
    if (near[index] === true) {
      if (near[index - 1] !== true) {
        const end = near.indexOf(false, index);
        const hunk = marked.slice(index, end < 0 ? undefined : end);
        const size = (other: Mark) => hunk.filter(([one]) => one !== other).length;
        lines.push(`@@ -${oldLine},${size("+")} +${freshLine},${size("-")} @@`);
      }
      lines.push(mark + line);
    }
    if (mark !== "+") oldLine++;
    if (mark !== "-") freshLine++;
  });
  return lines;
}
