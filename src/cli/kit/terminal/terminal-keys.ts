// The bytes of a terminal in raw mode as keys. Pasted text comes as one value, so that no letter in
// it is taken for a key; escape sequences may arrive in pieces, as over a slow line, and unknown
// ones are swallowed whole.

/** One key, or one paste. */
export type Key =
  | { readonly kind: "char"; readonly char: string }
  | { readonly kind: "paste"; readonly text: string }
  | {
      readonly kind:
        | "up"
        | "down"
        | "home"
        | "end"
        | "page-up"
        | "page-down"
        | "enter"
        | "backspace"
        | "escape";
    };

const PASTE_BEGIN = "\x1b[200~";
const PASTE_END = "\x1b[201~";
/** A terminal that never ends its paste must not fill the memory; beyond it the paste is dropped. */
const PASTE_MAX = 64 * 1024;

const SEQUENCES: Readonly<Record<string, Exclude<Key["kind"], "char" | "paste">>> = {
  "[A": "up",
  OA: "up",
  "[B": "down",
  OB: "down",
  "[H": "home",
  OH: "home",
  "[1~": "home",
  "[7~": "home",
  "[F": "end",
  OF: "end",
  "[4~": "end",
  "[8~": "end",
  "[5~": "page-up",
  "[6~": "page-down",
};
/** A whole sequence after the escape: CSI with its parameters, or SS3 and one character. */
const SEQUENCE = /^(?:\[[0-?]*[ -/]*[@-~]|O.)/su;
/** The beginning of one. */
const PARTIAL = /^(?:\[[0-?]*[ -/]*|O)?$/u;

/** Takes text as it arrives; one per terminal. */
export class KeyReader {
  #rest = "";
  #wasFlushed = false;

  /** The keys that are complete. A possible beginning of a sequence is kept for the next call. */
  push(text: string): Key[] {
    // The rest of a sequence whose escape came so long before that it was taken for the key: were it read as
    // keys, so would pasted text after it.
    const isLate = this.#wasFlushed && /^[[O]/.test(text);
    if (text !== "") this.#wasFlushed = false;
    this.#rest += isLate ? `\x1b${text}` : text;
    const keys: Key[] = [];
    while (this.#rest !== "") {
      const key = this.#next();
      if (key === undefined) break;
      if (key !== "nothing") keys.push(key);
    }
    return keys;
  }

  /** Whether an escape is kept that may be the key of that name or begin a sequence. */
  get isWaiting(): boolean {
    return this.#rest === "\x1b";
  }

  /** Nothing more came for a moment: a kept escape was the key. */
  flush(): Key[] {
    if (!this.isWaiting) return [];
    this.#rest = "";
    this.#wasFlushed = true;
    return [{ kind: "escape" }];
  }

  #next(): Key | "nothing" | undefined {
    const text = this.#rest;
    if (text.startsWith(PASTE_BEGIN)) return this.#paste();
    if (text.startsWith("\x1b")) return this.#sequence(text.slice(1));
    const [char = ""] = text;
    this.#rest = text.slice(char.length);
    if (char === "\r" || char === "\n") return { kind: "enter" };
    if (char === "\x7f" || char === "\b") return { kind: "backspace" };
    return { kind: "char", char };
  }

  #sequence(after: string): Key | "nothing" | undefined {
    const sequence = SEQUENCE.exec(after)?.[0];
    if (sequence !== undefined) {
      this.#rest = after.slice(sequence.length);
      const kind = SEQUENCES[sequence];
      return kind === undefined ? "nothing" : { kind };
    }
    if (PARTIAL.test(after)) return undefined;
    // Escape, then an ordinary character: Alt with a key, which means nothing here.
    const [char = ""] = after;
    this.#rest = after.slice(char.length);
    return "nothing";
  }

  #paste(): Key | undefined {
    const end = this.#rest.indexOf(PASTE_END, PASTE_BEGIN.length);
    if (end >= 0) {
      const text = this.#rest.slice(PASTE_BEGIN.length, end);
      this.#rest = this.#rest.slice(end + PASTE_END.length);
      return { kind: "paste", text };
    }
    if (this.#rest.length > PASTE_MAX) this.#rest = PASTE_BEGIN + this.#rest.slice(-PASTE_END.length);
    return undefined;
  }
}
