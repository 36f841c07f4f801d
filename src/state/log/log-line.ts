// Writes a line of iddio.log, as text and, for the frequent ones, straight as bytes: there is a
// line for every request, and building a text of it costs more than judging the request. Both must
// give the same line; the text is the reference.

/** How much is logged, least important first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** How much is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Values printed as `name=value` after the message; undefined ones are left out. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One line of the log, without its newline: time (milliseconds since 1970), level, message, fields. */
export function formatLine(at: number, level: LogLevel, message: string, fields: LogFields = {}): string {
  let line = `${timeOf(at)} ${LEVEL_COLUMN[level]} ${visible(message)}`;
  let separator = ": ";
  // Not Object.entries: there is a line for every request, and its pairs would be half of the line's cost.
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined) continue;
    line += `${separator}${name}=${typeof value === "string" ? formatText(value) : value}`;
    separator = " ";
  }
  return line;
}

const LEVEL_COLUMN: Readonly<Record<LogLevel, string>> = {
  debug: "DEBUG",
  info: "INFO ",
  warn: "WARN ",
  error: "ERROR",
};

let second = Number.NaN;
let secondText = "";

/** ISO 8601 in UTC; lines of the same second share all but the milliseconds. */
function timeOf(at: number): string {
  const current = Math.floor(at / 1000);
  if (current !== second) {
    secondText = new Date(at).toISOString().slice(0, -4);
    second = current;
  }
  const rest = at - current * 1000;
  return `${secondText}${rest < 10 ? "00" : rest < 100 ? "0" : ""}${rest}Z`;
}

function formatText(text: string): string {
  return PLAIN.test(text) ? text : visible(JSON.stringify(text));
}

const PLAIN = /^[\w.:/@%+,*?&~-]+$/;

/** Control, bidirectional and zero-width characters as escapes. */
function visible(text: string): string {
  // Hardly ever is there anything to replace, and a test costs a tenth of a replacement.
  if (!HIDDEN.test(text)) return text;
  return text.replace(
    new RegExp(HIDDEN, "g"),
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;

/** In an unquoted value; in a quoted one too; neither. */
const PLAIN_TEXT = 0;
const QUOTED_TEXT = 1;
const OTHER_TEXT = 2;

const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (PLAIN.test(character)) return PLAIN_TEXT;
  return code >= 0x20 && code < 0x7f && character !== '"' && character !== "\\" ? QUOTED_TEXT : OTHER_TEXT;
});

function kindOf(text: string): number {
  let kind = text === "" ? QUOTED_TEXT : PLAIN_TEXT;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const own = code < 128 ? (KINDS[code] as number) : OTHER_TEXT;
    if (own > kind) kind = own;
  }
  return kind;
}

const SIZE = 16 * 1024;

/** Lines that wait to be written, as bytes. */
export class LogLines {
  #bytes = new Uint8Array(SIZE);
  #length = 0;
  #count = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#length;
  }

  /** Lines that wait. */
  get count(): number {
    return this.#count;
  }

  /** Adds what `formatLine` gives for the same, and a newline. */
  add(at: number, level: LogLevel, message: string, fields: LogFields = {}): void {
    const start = this.#length;
    if (!this.#addBytes(at, level, message, fields)) {
      this.#length = start;
      this.#append(Buffer.from(formatLine(at, level, message, fields)));
    }
    this.#room(1);
    this.#bytes[this.#length++] = 0x0a;
    this.#count++;
  }

  /** Everything that waits; nothing does afterwards. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(SIZE);
    this.#length = 0;
    this.#count = 0;
    return bytes;
  }

  /** False when there is a character that needs more thought; drop everything that was added until then. */
  #addBytes(at: number, level: LogLevel, message: string, fields: LogFields): boolean {
    if (kindOf(message) === OTHER_TEXT) return false;
    this.#put(timeOf(at));
    this.#put(" ");
    this.#put(LEVEL_COLUMN[level]);
    this.#put(" ");
    this.#put(message);
    let separator = ": ";
    for (const name in fields) {
      const value = fields[name];
      if (value === undefined) continue;
      const text = typeof value === "string" ? value : String(value);
      const kind = typeof value === "string" ? kindOf(text) : PLAIN_TEXT;
      if (kind === OTHER_TEXT || kindOf(name) !== PLAIN_TEXT) return false;
      this.#put(separator);
      this.#put(name);
      this.#put(kind === PLAIN_TEXT ? "=" : '="');
      this.#put(text);
      if (kind === QUOTED_TEXT) this.#put('"');
      separator = " ";
    }
    return true;
  }

  /** ASCII only. */
  #put(text: string): void {
    this.#room(text.length);
    const bytes = this.#bytes;
    const start = this.#length;
    for (let i = 0; i < text.length; i++) bytes[start + i] = text.charCodeAt(i);
    this.#length = start + text.length;
  }

  #append(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #room(needed: number): void {
    if (this.#length + needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + needed));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
