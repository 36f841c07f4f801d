// The screen of a person: the output of a full-screen program applied to rows of characters. Knows
// the few sequences that such a program of ours may send, and throws on any other.

const SEQUENCE = /^\x1b\[([?\d;]*)([A-Za-z])/;

/** A screen of fixed size; feed it what the program writes. */
export class TerminalScreen {
  #columns: number;
  #rows: number;
  #cells: string[][] = [];
  #row = 0;
  #column = 0;
  #pending = "";
  /** Whether the program has the alternate screen. */
  isAlternate = false;
  isCursorHidden = false;
  bells = 0;

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
    this.clear();
  }

  /** The rows, without trailing blanks. */
  get lines(): string[] {
    return this.#cells.map((row) => row.join("").trimEnd());
  }

  get text(): string {
    return this.lines.join("\n");
  }

  resize(columns: number, rows: number): void {
    this.#columns = columns;
    this.#rows = rows;
    this.clear();
  }

  clear(): void {
    this.#cells = Array.from({ length: this.#rows }, () => Array<string>(this.#columns).fill(" "));
    this.#row = 0;
    this.#column = 0;
  }

  write(text: string): void {
    let rest = this.#pending + text;
    this.#pending = "";
    while (rest !== "") {
      if (rest.startsWith("\x1b")) {
        const found = SEQUENCE.exec(rest);
        if (found === null) {
          if (rest.length > 32)
            throw new Error(`the screen cannot show ${JSON.stringify(rest.slice(0, 32))}`);
          this.#pending = rest;
          return;
        }
        this.#obey(found[1] ?? "", found[2] ?? "");
        rest = rest.slice(found[0].length);
      } else {
        const [character = ""] = rest;
        this.#put(character);
        rest = rest.slice(character.length);
      }
    }
  }

  #put(character: string): void {
    if (character === "\r") this.#column = 0;
    else if (character === "\n") this.#lineFeed();
    else if (character === "\x07") this.bells += 1;
    else {
      if (this.#column >= this.#columns) {
        this.#column = 0;
        this.#lineFeed();
      }
      const row = this.#cells[this.#row];
      if (row !== undefined) row[this.#column] = character;
      this.#column += 1;
    }
  }

  #lineFeed(): void {
    this.#row += 1;
    if (this.#row < this.#rows) return;
    this.#cells.shift();
    this.#cells.push(Array<string>(this.#columns).fill(" "));
    this.#row = this.#rows - 1;
  }

  #obey(parameters: string, final: string): void {
    const [first = 1, second = 1] = parameters.split(";").map((each) => Number(each) || 1);
    switch (final) {
      case "H":
        this.#row = Math.min(first, this.#rows) - 1;
        this.#column = Math.min(second, this.#columns) - 1;
        return;
      case "G":
        this.#column = Math.min(first, this.#columns) - 1;
        return;
      case "K":
        this.#cells[this.#row]?.fill(" ", this.#column);
        return;
      case "J":
        if (parameters === "2") for (const row of this.#cells) row.fill(" ");
        else {
          this.#cells[this.#row]?.fill(" ", this.#column);
          for (const row of this.#cells.slice(this.#row + 1)) row.fill(" ");
        }
        return;
      case "m":
        return;
      case "h":
      case "l":
        if (parameters === "?1049") this.isAlternate = final === "h";
        if (parameters === "?25") this.isCursorHidden = final === "l";
        return;
      default:
        throw new Error(`the screen does not know ${JSON.stringify(parameters + final)}`);
    }
  }
}
