// JSON, and several JSON values one after the other, masked on the original text: numbers stay as
// they were written, repeated members stay in sight, nothing is printed that was not sent. Reads
// once from left to right, without recursion in the engine's stack beyond a bound. Other text is
// left to the caller.

import { maskFreeText } from "./mask-text.ts";
import { isSecretName } from "./secret-name.ts";
import { MASK } from "./secret-value.ts";

/** Names that vendors give to the field with a secret's value. */
export const VALUE_NAME =
  /^(?:data|string_?data|text|value|plain_?text|payload|content|secret_?(?:string|binary)|parameter_?value)$/i;
/** Names of a value that stands beside a field with its name: `{ "name": "TOKEN", "value": "..." }`. */
const NAMED_VALUE = /^(?:(?:string|plain|parameter|option|field|secret)_?)?value$/i;
/** Objects that say of themselves that their value is secret: Cloudflare's bindings, AWS's parameters. */
const SECRET_TYPE = /secret|secure_?string|password/i;
/** Members whose text names the value beside them: an environment variable's name, a parameter's key. */
const NAMING_MEMBER = /^(?:name|key|variable|parameter_?key|parameter_?name|option_?name|header|field)$/i;
const TYPE_MEMBER = /^(?:kind|type)$/i;
const MAX_DEPTH = 200;
/** Objects are read again once they turn out to be secret; more than so many times the text is not worth it. */
const AGAIN_MAX = 8;

/** How much of an object is secret: the members with secret names, the value beside a secret name, or every value. */
export type Hiding = "names" | "named" | "values";

/** How much one member with a text tells to hide of its object. */
export function hidingBy(name: string, text: string): Hiding {
  if (TYPE_MEMBER.test(name) && SECRET_TYPE.test(text)) return "values";
  return NAMING_MEMBER.test(name) && isSecretName(text) ? "named" : "names";
}

/** Whether a member's value is hidden, all of it. */
export function isHiddenMember(name: string, hiding: Hiding): boolean {
  return hiding === "values" ? VALUE_NAME.test(name) : hiding === "named" && NAMED_VALUE.test(name);
}

/** How much to hide inside a member that is not hidden itself. */
export function hidingInside(name: string, hiding: Hiding): Hiding {
  return hiding === "values" || isSecretName(name) || /secrets?$/i.test(name) ? "values" : "names";
}

/** The stricter of two. */
export function moreHiding(one: Hiding, other: Hiding): Hiding {
  return one === "values" || other === "names" ? one : other;
}

/**
 * One value or several; undefined when the text is no JSON. `isSecret`: the request is about secrets.
 * `isCut`: the text is the beginning of a longer one; an unfinished member at its end is left out.
 */
export function maskJson(text: string, isSecret: boolean, isCut = false): string | undefined {
  const reader = new JsonMasker(text);
  try {
    reader.values(isSecret ? "values" : "names");
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    if (!isCut || !reader.isAtEnd) return undefined;
  }
  return reader.masked();
}

class NotJson extends Error {}

/** Of a value: nothing, its own text or those of its list, every text in it. */
type Hidden = "no" | "texts" | "all";

class JsonMasker {
  readonly #text: string;
  #at = 0;
  #again = 0;
  #isCutOff = false;
  #edits: { readonly start: number; readonly end: number; readonly text: string }[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  values(hiding: Hiding): void {
    this.#blank();
    if (this.#at >= this.#text.length) throw new NotJson();
    while (this.#at < this.#text.length) {
      // A sequence of RFC 7464 begins each value with a record separator.
      if (this.#text.charCodeAt(this.#at) === 0x1e) this.#at++;
      this.#value(hiding, "no", 0);
      this.#blank();
    }
  }

  /** Whether only text after the end is missing. */
  get isAtEnd(): boolean {
    return this.#at >= this.#text.length || this.#isCutOff;
  }

  masked(): string {
    let out = "";
    let at = 0;
    for (const { start, end, text } of this.#edits) {
      out += this.#text.slice(at, start) + text;
      at = end;
    }
    return out + this.#text.slice(at, this.#isCutOff ? Math.max(at, this.#at) : undefined);
  }

  #value(hiding: Hiding, hidden: Hidden, depth: number): void {
    if (depth > MAX_DEPTH) throw new NotJson();
    this.#blank();
    const start = this.#at;
    const first = this.#text[start];
    if (first === "{") this.#object(hiding, hidden === "all", depth);
    else if (first === "[") this.#array(hiding, hidden, depth);
    else if (first !== '"') this.#scalar(hidden);
    else {
      const value = this.#string();
      if (hidden !== "no" && value !== "") this.#edit(start, `"${MASK}"`);
      else this.#document(start, value);
    }
  }

  #scalar(hidden: Hidden): void {
    const start = this.#at;
    SCALAR.lastIndex = start;
    const scalar = SCALAR.exec(this.#text)?.[0];
    if (scalar === undefined) throw new NotJson();
    this.#at = start + scalar.length;
    // Numbers may be secrets; true, false and null are none.
    if (hidden !== "no" && scalar < ":") this.#edit(start, `"${MASK}"`);
  }

  /** A text that holds a secret by its shape, or a document with secrets in it. */
  #document(start: number, value: string): void {
    const inner = /^\s*[[{]/.test(value) ? maskJson(value, false) : undefined;
    const masked = inner ?? maskFreeText(value);
    if (masked !== value) this.#edit(start, JSON.stringify(masked));
  }

  #object(hiding: Hiding, isHidden: boolean, depth: number): void {
    const start = this.#at;
    const edits = this.#edits.length;
    const found = this.#members(hiding, isHidden, depth);
    if (isHidden || moreHiding(hiding, found) === hiding) return;
    // A later member shows that an earlier one is secret, so the object is read again.
    const end = this.#at;
    this.#edits.length = edits;
    this.#again += end - start;
    if (this.#again > AGAIN_MAX * this.#text.length + 4096) {
      this.#edit(start, `"${MASK}"`);
      return;
    }
    this.#at = start;
    this.#members(moreHiding(hiding, found), false, depth);
  }

  /** Reads an object; what its members say of it. */
  #members(hiding: Hiding, isHidden: boolean, depth: number): Hiding {
    let found: Hiding = "names";
    this.#at++;
    this.#blank();
    if (this.#text[this.#at] === "}") {
      this.#at++;
      return found;
    }
    for (;;) {
      this.#blank();
      if (this.#text[this.#at] !== '"') throw new NotJson();
      const name = this.#string();
      this.#blank();
      if (this.#text[this.#at++] !== ":") throw new NotJson();
      this.#blank();
      const start = this.#at;
      if (this.#text[start] === '"') found = moreHiding(found, hidingBy(name, this.#stringAt(start)));
      const hidden = isHidden || isHiddenMember(name, hiding) ? "all" : isSecretName(name) ? "texts" : "no";
      this.#value(hidingInside(name, hiding), hidden, depth + 1);
      this.#blank();
      const next = this.#text[this.#at++];
      if (next === "}") return found;
      if (next !== ",") throw new NotJson();
    }
  }

  #array(hiding: Hiding, hidden: Hidden, depth: number): void {
    this.#at++;
    this.#blank();
    if (this.#text[this.#at] === "]") {
      this.#at++;
      return;
    }
    for (;;) {
      this.#value(hiding, hidden, depth + 1);
      this.#blank();
      const next = this.#text[this.#at++];
      if (next === "]") return;
      if (next !== ",") throw new NotJson();
    }
  }

  #edit(start: number, text: string): void {
    this.#edits.push({ start, end: this.#at, text });
  }

  /** Reads a text and goes past it. */
  #string(): string {
    const start = this.#at;
    this.#at = this.#stringEnd(start);
    return this.#stringAt(start);
  }

  #stringAt(start: number): string {
    const raw = this.#text.slice(start, this.#stringEnd(start));
    if (!raw.includes("\\")) return raw.slice(1, -1);
    try {
      return JSON.parse(raw) as string;
    } catch {
      throw new NotJson();
    }
  }

  /** The place after the closing quote. */
  #stringEnd(start: number): number {
    const text = this.#text;
    for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
      let back = at;
      while (text.charCodeAt(back - 1) === 0x5c) back--;
      if ((at - back) % 2 === 0) return at + 1;
    }
    this.#isCutOff = true;
    this.#at = start;
    throw new NotJson();
  }

  #blank(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09 && code !== 0xfeff) return;
      this.#at++;
    }
  }
}

/** Numbers of any size stay as written. */
const SCALAR = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|true\b|false\b|null\b/y;
