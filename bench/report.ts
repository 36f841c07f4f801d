// Prints the bench: tables as they are measured, and at the end every ratio beside the bar that it
// is held against.

/** One number that is held against a bar. */
export interface Bar {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  readonly wants: "at least" | "at most";
  /** E.g. "µs"; empty for ratios. */
  readonly unit?: string;
  /** The smallest and largest value of the rounds. */
  readonly spread?: string;
}

/** Gathers bars while sections print; one a run. */
export class Report {
  readonly #bars: Bar[] = [];

  write(line = ""): void {
    process.stdout.write(`${line}\n`);
  }

  heading(text: string): void {
    this.write(`\n${text}`);
  }

  /** First row: column heads. The first column is aligned to the left, the others to the right. */
  table(rows: readonly (readonly string[])[]): void {
    const widths = (rows[0] ?? []).map((_, column) =>
      Math.max(...rows.map((row) => row[column]?.length ?? 0)),
    );
    for (const row of rows) {
      const cells = row.map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      );
      this.write(`  ${cells.join("   ")}`);
    }
  }

  bar(bar: Bar): void {
    this.#bars.push(bar);
  }

  get bars(): readonly Bar[] {
    return this.#bars;
  }

  /** The table of bars, with what each was when it was last recorded. True when every one was met. */
  finish(last: ReadonlyMap<string, number>): boolean {
    if (this.#bars.length === 0) return true;
    this.heading("Against the bars");
    const rows = this.#bars.map((bar) => [
      bar.what,
      `${number(bar.value)}${bar.unit ?? ""}`,
      bar.spread ?? "",
      last.has(bar.what) ? number(last.get(bar.what) ?? Number.NaN) : "",
      `${bar.wants} ${number(bar.limit)}${bar.unit ?? ""}`,
      isMet(bar) ? "met" : "MISSED",
    ]);
    this.table([["what", "measured", "rounds", "last time", "bar", ""], ...rows]);
    return this.#bars.every(isMet);
  }
}

function isMet({ value, limit, wants }: Bar): boolean {
  return wants === "at least" ? value >= limit : value <= limit;
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
