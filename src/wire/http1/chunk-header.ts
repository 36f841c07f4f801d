// The line before a chunk's data: its size in hexadecimal, extensions, CR LF (RFC 9112 7.1), octet
// by octet. White space around its parts ("bad whitespace", and blanks that old servers pad the
// size with) is taken where it reads one way only; chunks are always written again. Extensions are
// checked and dropped.

import { DIGIT, FIELD_VALUE, OCTET_CLASS, TOKEN } from "../octet-class.ts";

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** 2^53-1 has 14 hexadecimal digits; two more for senders that pad with zeros. */
const MAX_SIZE_DIGITS = 16;

type State =
  | "size"
  | "size-end"
  | "name-start"
  | "name"
  | "name-end"
  | "value-start"
  | "value"
  | "quoted"
  | "quoted-escape"
  | "value-end"
  | "line-feed"
  | "done";

/** Takes in one chunk header after the other; `restart` before each. */
export class ChunkHeader {
  readonly #maxExtensionBytes: number;
  #state: State = "size";
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;

  constructor(maxExtensionBytes: number) {
    this.#maxExtensionBytes = maxExtensionBytes;
  }

  /** The line feed was taken in, and `size` is final. */
  get isDone(): boolean {
    return this.#state === "done";
  }

  /** Octets of data in the chunk; 0 for the last one. */
  get size(): number {
    return this.#size;
  }

  /** Gets ready for the next header. */
  restart(): void {
    this.#state = "size";
    this.#size = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
  }

  /** Takes in one octet; a text is why the header is refused. */
  push(octet: number): string | undefined {
    if (this.#state === "size") return this.#pushSize(octet);
    if (this.#state === "line-feed") {
      if (octet !== LF) return "bare carriage return in a chunk header";
      this.#state = "done";
      return undefined;
    }
    // Blanks count: a line of nothing else must end too.
    if (++this.#extensionBytes > this.#maxExtensionBytes) return "chunk extensions too long";
    return this.#pushExtension(octet, OCTET_CLASS[octet] as number);
  }

  #pushSize(octet: number): string | undefined {
    const digit = hexDigit(octet);
    if (digit < 0 && this.#digits > 0 && isBlank(octet)) {
      this.#state = "size-end";
      return undefined;
    }
    if (digit < 0) return this.#digits > 0 && this.#endsPart(octet) ? undefined : "malformed chunk size";
    this.#size = this.#size * 16 + digit;
    const isTooLarge = ++this.#digits > MAX_SIZE_DIGITS || this.#size > Number.MAX_SAFE_INTEGER;
    return isTooLarge ? "chunk size too large" : undefined;
  }

  /** CR ends the line but for its LF, `;` starts an extension; false for any other octet. */
  #endsPart(octet: number): boolean {
    if (octet === CR) this.#state = "line-feed";
    else if (octet === SEMICOLON) this.#state = "name-start";
    else return false;
    return true;
  }

  #pushExtension(octet: number, bits: number): string | undefined {
    const isToken = (bits & TOKEN) !== 0;
    const isText = (bits & FIELD_VALUE) !== 0;
    switch (this.#state) {
      case "size-end":
        return isBlank(octet) || this.#endsPart(octet) ? undefined : "malformed chunk size";
      case "name-end":
        if (isBlank(octet)) return undefined;
        if (octet === EQUALS) this.#state = "value-start";
        else if (octet !== SEMICOLON || !this.#endsPart(octet)) return "malformed chunk extension";
        return undefined;
      case "name-start":
      case "value-start":
        if (isToken) this.#state = this.#state === "name-start" ? "name" : "value";
        else if (octet === QUOTE && this.#state === "value-start") this.#state = "quoted";
        else if (!isBlank(octet)) return "malformed chunk extension";
        return undefined;
      case "name":
        if (octet === EQUALS) this.#state = "value-start";
        else if (isBlank(octet)) this.#state = "name-end";
        else if (!isToken && !this.#endsPart(octet)) return "malformed chunk extension";
        return undefined;
      case "quoted":
        if (!isText) return "control character in a chunk extension";
        if (octet === QUOTE) this.#state = "value-end";
        else if (octet === BACKSLASH) this.#state = "quoted-escape";
        return undefined;
      case "quoted-escape":
        if (!isText) return "control character in a chunk extension";
        this.#state = "quoted";
        return undefined;
      case "value":
        if (isBlank(octet)) this.#state = "value-end";
        else if (!isToken && !this.#endsPart(octet)) return "malformed chunk extension";
        return undefined;
      default:
        return isBlank(octet) || this.#endsPart(octet) ? undefined : "malformed chunk extension";
    }
  }
}

function isBlank(octet: number): boolean {
  return octet === 0x20 || octet === 0x09;
}

/** The value of a hexadecimal digit, -1 for any other octet. */
function hexDigit(octet: number): number {
  if (((OCTET_CLASS[octet] as number) & DIGIT) !== 0) return octet - 0x30;
  const lower = octet | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
