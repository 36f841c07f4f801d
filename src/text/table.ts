// Columns for terminals and pipes: two spaces apart, nothing drawn, no trailing blanks, so that awk
// and people can both read them. Escapes every cell itself; callers pass text as it came. Where it
// must fit a terminal, the last column gives way.

import { displayWidth } from "./display-width.ts";
import { escapeForTerminal } from "./escape.ts";
import { breakColumns, cutColumns } from "./wrap.ts";

const GAP = 2;
/** The last column keeps so much; on a narrower terminal lines are longer than it. */
const LEAST = 16;

/** Paints one cell after its width was taken; the default leaves it as it is. */
export type CellPainter = (text: string, column: number, row: number) => string;

/** How rows fit a terminal: text that is too long in the last column is broken over lines, or cut off with `...`. */
export interface TableFit {
  readonly columns: number;
  readonly how: "break" | "cut";
}

/** Rows as aligned lines. A header, if there is one, is simply the first row. */
export function renderTable(
  rows: readonly (readonly string[])[],
  paint?: CellPainter,
  fit?: TableFit,
): string[] {
  const safe = rows.map((row) => row.map(escapeForTerminal));
  const widths: number[] = [];
  for (const row of safe) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
    }
  }
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP, 0);
  return safe.flatMap((row, rowIndex) => {
    const [first = "", ...more] = lastCell(row.at(-1) ?? "", before, fit);
    const line = row
      .map((whole, column) => {
        const isLast = column === row.length - 1;
        const cell = isLast ? first : whole;
        const painted = paint?.(cell, column, rowIndex) ?? cell;
        return isLast ? painted : painted + " ".repeat((widths[column] ?? 0) - displayWidth(cell) + GAP);
      })
      .join("")
      .trimEnd();
    const rest = more.map(
      (piece) => " ".repeat(before) + (paint?.(piece, row.length - 1, rowIndex) ?? piece),
    );
    return [line, ...rest];
  });
}

/** The last cell of a row as it fits behind the others. */
function lastCell(cell: string, before: number, fit: TableFit | undefined): readonly string[] {
  // One column stays free: a line that fills the last one is wrapped by some terminals.
  const room = fit === undefined ? 0 : Math.max(LEAST, fit.columns - 1 - before);
  if (fit === undefined || displayWidth(cell) <= room) return [cell];
  return fit.how === "break" ? breakColumns(cell, room) : [cutColumns(cell, room)];
}

/** Name and value lines, aligned, as `iddio status` prints them; values that are undefined are left out. */
export function renderPairs(pairs: readonly (readonly [string, string | undefined])[]): string[] {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined);
  return renderTable(shown);
}
