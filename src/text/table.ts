// Columns for terminals and pipes: two spaces apart, nothing drawn, no trailing blanks, so that awk
// and people can both read them. Escapes every cell itself; callers pass text as it came.

import { displayWidth } from "./display-width.ts";
import { escapeForTerminal } from "./escape.ts";

const GAP = 2;

/** Paints one cell after its width was taken; the default leaves it as it is. */
export type CellPainter = (text: string, column: number, row: number) => string;

/** Rows as aligned lines. A header, if there is one, is simply the first row. */
export function renderTable(rows: readonly (readonly string[])[], paint?: CellPainter): string[] {
  const safe = rows.map((row) => row.map(escapeForTerminal));
  const widths: number[] = [];
  for (const row of safe) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
    }
  }
  return safe.map((row, rowIndex) =>
    row
      .map((cell, column) => {
        const painted = paint?.(cell, column, rowIndex) ?? cell;
        if (column === row.length - 1) return painted;
        return painted + " ".repeat((widths[column] ?? 0) - displayWidth(cell) + GAP);
      })
      .join("")
      .trimEnd(),
  );
}

/** Name and value lines, aligned, as `iddio status` prints them; values that are undefined are left out. */
export function renderPairs(pairs: readonly (readonly [string, string | undefined])[]): string[] {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined);
  return renderTable(shown);
}
