// Printing of the demo: titles, aligned facts, indented commands and what became of them. Colour
// only on a terminal.

const isColoured = process.stdout.isTTY === true && !process.env.NO_COLOR;

function paint(code: number): (text: string) => string {
  return (text) => (isColoured ? `\x1b[${code}m${text}\x1b[0m` : text);
}

/** The colours in use, named for what they say. */
export const paints = { bold: paint(1), faint: paint(2), bad: paint(31), good: paint(32), warn: paint(33) };

/** Prints one line. */
export function say(text = ""): void {
  process.stdout.write(`${text}\n`);
}

/** Prints a numbered title. */
export function chapter(number: number, title: string): void {
  say();
  say(paints.bold(`${number}. ${title}`));
}

/** Prints a name and a value, aligned with the others. */
export function fact(name: string, value: string): void {
  say(`   ${paints.faint(name.padEnd(10))} ${value}`);
}

/** Prints a command as it would be typed, and by whom. */
export function command(who: string, text: string): void {
  say(`   ${who.padEnd(10)} ${paints.bold(`$ ${text}`)}`);
}

/** Prints lines of a program's output below its command. */
export function output(lines: readonly string[]): void {
  for (const line of lines) say(`   ${" ".repeat(10)} ${line}`);
}

/** Prints how something ended. */
export function verdict(isGood: boolean, text: string): void {
  const mark = isGood ? paints.good("✓") : paints.bad("✗");
  say(`   ${"".padEnd(8)} ${mark} ${isGood ? paints.good(text) : paints.bad(text)}`);
}
