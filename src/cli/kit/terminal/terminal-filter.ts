// Filters an agent's output to the person's terminal. Sequences that make a terminal act outside of
// its screen, or answer by typing, are cut out: a typed answer lands in the person's shell after
// the agent has ended. Everything that draws passes byte for byte. `session replay` and `follow`
// use it too.

const ESC = 0x1b;
const BEL = 0x07;
const ENQ = 0x05;

/** Strings longer than this are dropped whole. */
const STRING_MAX = 256 * 1024;

type State = "text" | "escape" | "control" | "string";

/** Filters a stream that may be cut anywhere. */
export class TerminalFilter {
  readonly #allowsClipboard: boolean;
  #state: State = "text";
  /** The bytes of the sequence that is being read. */
  #held: number[] = [];
  #isOnAlternateScreen = false;
  #hasChangedModes = false;

  constructor(options: { readonly allowsClipboard: boolean } = { allowsClipboard: false }) {
    this.#allowsClipboard = options.allowsClipboard;
  }

  /** Whether a full-screen program has not given the screen back. */
  get isOnAlternateScreen(): boolean {
    return this.#isOnAlternateScreen;
  }

  /** Whether a mode of the terminal may be other than it was. */
  get hasChangedModes(): boolean {
    return this.#hasChangedModes;
  }

  /** Returns the bytes that may be shown now, including those held back before. */
  push(bytes: Uint8Array): Uint8Array {
    if (this.#state === "text" && !bytes.includes(ESC) && !bytes.includes(ENQ)) return bytes;
    const out: number[] = [];
    for (const byte of bytes) this.#next(byte, out);
    return Uint8Array.from(out);
  }

  #next(byte: number, out: number[]): void {
    switch (this.#state) {
      case "text":
        if (byte === ESC) this.#begin("escape", byte);
        else if (byte !== ENQ) out.push(byte);
        return;
      case "escape":
        this.#held.push(byte);
        if (byte === 0x5b) this.#state = "control";
        // P, X, ], ^, _: strings until BEL or ESC backslash.
        else if ([0x50, 0x58, 0x5d, 0x5e, 0x5f].includes(byte)) this.#state = "string";
        else if (byte === ESC) this.#begin("escape", byte);
        // Intermediate bytes, as of a character set.
        else if (byte >= 0x20 && byte <= 0x2f) return;
        // ESC Z asks the terminal who it is, an old spelling of CSI c.
        else this.#finish(out, byte !== 0x5a);
        return;
      case "control":
        if (byte === ENQ) return;
        if (byte === ESC) {
          this.#begin("escape", byte);
          return;
        }
        this.#held.push(byte);
        if (byte >= 0x40 && byte <= 0x7e) this.#finishControl(out);
        else if (this.#held.length > 256) this.#finish(out, false);
        return;
      case "string":
        this.#nextOfString(byte, out);
    }
  }

  #nextOfString(byte: number, out: number[]): void {
    const held = this.#held;
    if (held.length < STRING_MAX) held.push(byte);
    // CAN and SUB end a string at once; later octets are text again, to us as to the terminal.
    if (byte === 0x18 || byte === 0x1a) {
      this.#finish(out, false);
      return;
    }
    const isOsc = held[1] === 0x5d;
    const isEnd = (byte === BEL && isOsc) || (byte === 0x5c && this.#previous === ESC);
    this.#previous = byte;
    if (isEnd) this.#finish(out, held.length < STRING_MAX && this.#isHarmlessString());
  }

  #previous = 0;

  #begin(state: State, byte: number): void {
    this.#state = state;
    this.#held = [byte];
    this.#previous = 0;
  }

  #finish(out: number[], isShown: boolean): void {
    if (isShown) for (const byte of this.#held) out.push(byte);
    this.#state = "text";
    this.#held = [];
  }

  #finishControl(out: number[]): void {
    const text = String.fromCharCode(...this.#held.slice(2));
    const mode = /^\?([\d;]+)([hl])$/.exec(text);
    if (mode?.[1]?.split(";").some((each) => each === "1049" || each === "47" || each === "1047"))
      this.#isOnAlternateScreen = mode[2] === "h";
    this.#hasChangedModes ||= mode !== null || text.endsWith("m");
    // 20 and 21 type the window's title, which the agent may set, into whatever reads the terminal next.
    const isReport = /^(?:2[01])(?:;[\d;]*)?t$/.test(text);
    this.#finish(out, !isReport);
  }

  #isHarmlessString(): boolean {
    const kind = this.#held[1];
    const body = String.fromCharCode(...this.#held.slice(2, 2 + 4_096));
    // A string that holds an escape is two things to two terminals (tmux passes the inner one through).
    const inner = this.#held.slice(2, this.#held.at(-1) === BEL ? -1 : -2);
    if (inner.includes(ESC)) return false;
    if (kind === 0x5d) return this.#isHarmlessCommand(body);
    // Of device controls only pictures (sixel) and synchronised output.
    return kind === 0x50 && (/^[\d;]*q/.test(body) || /^=[12]s/.test(body));
  }

  #isHarmlessCommand(body: string): boolean {
    const [, number = "", rest = ""] = /^(\d*);?([\s\S]*)$/.exec(body) ?? [];
    switch (number) {
      // Title, icon, working directory, link, colours, progress, marks of a prompt.
      case "0":
      case "1":
      case "2":
      case "8":
      case "9":
      case "104":
      case "110":
      case "111":
      case "112":
      case "133":
        return true;
      // Colours can be asked for; the answer is the terminal's own and programs need it to choose readable ones.
      case "4":
      case "10":
      case "11":
      case "12":
        return true;
      case "52":
        return this.#allowsClipboard && !/;\?/.test(`;${rest}`);
      default:
        return false;
    }
  }
}
