// The results of a run of the soak: a line for each claim, `ok` or `FAILED`, with its numbers.

/** Collects claims as they are checked; prints each at once. */
export class Report {
  readonly failures: string[] = [];
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** A line that claims nothing. */
  note(line: string): void {
    this.#print(`        ${line}`);
  }

  heading(line: string): void {
    this.#print(`\n${line}`);
  }

  /** A claim, and the numbers that it was judged by. */
  claim(claim: string, isTrue: boolean, numbers: string): void {
    const line = `${isTrue ? "ok    " : "FAILED"}  ${claim}: ${numbers}`;
    if (!isTrue) this.failures.push(line);
    this.#print(line);
  }
}
