// The one glob dialect of policy.yaml: `*` any run of characters (none, dots and slashes too), `?`
// one character, `[a-z]` and `[!a-z]` one of a class, `{a,b}` alternatives. Everything else is
// literal; what does not parse is an error at load, never a pattern that silently matches nothing.
// picomatch compiles the pieces between the stars, never a whole pattern: its regular expression
// for five stars takes seconds on one name. Case is the caller's business: fold pattern and name
// alike before they come here.

import picomatch from "picomatch/posix";

/** One alternative of a pattern. `head` and `tail` are the literal text before the first and after the last wildcard. */
export interface Glob {
  readonly head: string;
  readonly tail: string;
  /** True when there is no wildcard at all; then `head` is the whole text and `tail` is empty. */
  readonly isExact: boolean;
  /** The characters that are not wildcards, in order; more of them is more specific. */
  readonly fixed: string;
  /** The pattern's parts, for code that compares patterns rather than names. */
  readonly tokens: readonly GlobToken[];
  test(name: string): boolean;
}

/** A character, any one character, any run of characters, one without a slash or a space, or one character of a class. */
export type GlobToken = { readonly code: number } | "one" | "run" | "part" | CharClass;

/** `[a-z]` and `[!a-z]`; both ends belong to a range. */
export type CharClass = {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [low: number, high: number])[];
};
type Token = Exclude<GlobToken, "part">;
type Problem = { readonly problem: string };

/** Alternatives that one pattern may expand to; beyond it the pattern is refused. */
export const MAX_GLOB_ALTERNATIVES = 256;

/** The longest pattern; no name that is ever matched is longer. */
export const MAX_GLOB_LENGTH = 1024;

const MAX_BRACES = 16;

/**
 * The glob of names that go on after a literal text with at least one character, none of them a slash or a space, and
 * then as `rest` says, which begins with one of these. No pattern can be typed that says so.
 */
export function globOfPart(head: string, rest: Glob): Glob {
  const codes = Array.from(head, (_, at) => ({ code: head.charCodeAt(at) }));
  return {
    head,
    tail: rest.isExact ? rest.head : rest.tail,
    isExact: false,
    fixed: head + rest.fixed,
    tokens: [...codes, OF_PART, "part", ...rest.tokens],
    test: (name) => {
      if (!name.startsWith(head)) return false;
      const length = name.slice(head.length).search(/[/ ]/);
      return length > 0 && rest.test(name.slice(head.length + length));
    },
  };
}

/** Whether a character can be in the part of a name that `globOfPart` leaves open. */
export function isOfPart(code: number): boolean {
  return !OF_PART.ranges.some(([low, high]) => code >= low && code <= high);
}

const [SPACE, SLASH] = [0x20, 0x2f];
const OF_PART: CharClass = {
  negated: true,
  ranges: [
    [SPACE, SPACE],
    [SLASH, SLASH],
  ],
};

/** Compiles a pattern to its alternatives (one, unless it has braces), or says what is wrong with it. */
export function compileGlob(text: string): { readonly globs: readonly Glob[] } | Problem {
  if (text === "") return { problem: "the pattern is empty" };
  if (text.length > MAX_GLOB_LENGTH)
    return { problem: `the pattern is longer than ${MAX_GLOB_LENGTH} characters` };
  // Expansion recurses once a brace.
  if (text.split("{").length - 1 > MAX_BRACES)
    return { problem: `the pattern has more than ${MAX_BRACES} braces` };
  const expanded = expandBraces(text);
  if ("problem" in expanded) return expanded;
  const globs: Glob[] = [];
  for (const alternative of expanded.texts) {
    if (alternative === "") return { problem: "one alternative in braces is empty" };
    const tokens = tokenize(alternative);
    if ("problem" in tokens) return tokens;
    globs.push(globOf(tokens.tokens));
  }
  return { globs };
}

function expandBraces(text: string): { readonly texts: readonly string[] } | Problem {
  const open = text.indexOf("{");
  const close = text.indexOf("}");
  if (open < 0 && close < 0) return { texts: [text] };
  if (open < 0 || (close >= 0 && close < open)) return { problem: "'}' has no '{' before it" };
  const parts: string[] = [];
  let depth = 0;
  let start = open + 1;
  let end = -1;
  for (let at = open; at < text.length && end < 0; at++) {
    const char = text[at];
    if (char === "{") depth++;
    else if (char === "}" && --depth === 0) end = at;
    if (end === at || (char === "," && depth === 1)) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  if (end < 0) return { problem: "'{' is never closed" };
  const texts: string[] = [];
  for (const part of parts) {
    const rest = expandBraces(text.slice(0, open) + part + text.slice(end + 1));
    if ("problem" in rest) return rest;
    texts.push(...rest.texts);
    if (texts.length > MAX_GLOB_ALTERNATIVES)
      return { problem: `the braces expand to more than ${MAX_GLOB_ALTERNATIVES} alternatives` };
  }
  return { texts };
}

function tokenize(text: string): { readonly tokens: readonly Token[] } | Problem {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "*") {
      if (tokens.at(-1) !== "run") tokens.push("run");
    } else if (char === "?") tokens.push("one");
    else if (char === "[") {
      const end = text.indexOf("]", text[at + 1] === "!" ? at + 3 : at + 2);
      if (end < 0) return { problem: "'[' is never closed" };
      const parsed = parseClass(text.slice(at + 1, end));
      if ("problem" in parsed) return parsed;
      tokens.push(parsed);
      at = end;
    } else if (char === "]") return { problem: "']' has no '[' before it" };
    else if (char === "\\") return { problem: "'\\' is not supported in patterns" };
    else tokens.push({ code: text.charCodeAt(at) });
  }
  return { tokens };
}

function parseClass(inner: string): CharClass | Problem {
  const negated = inner.startsWith("!") || inner.startsWith("^");
  const body = negated ? inner.slice(1) : inner;
  if (body === "") return { problem: "a character class is empty" };
  const ranges: [number, number][] = [];
  for (let at = 0; at < body.length; at++) {
    const low = body.charCodeAt(at);
    const isRange = body[at + 1] === "-" && at + 2 < body.length;
    const high = isRange ? body.charCodeAt(at + 2) : low;
    if (high < low) return { problem: `the range '${body.slice(at, at + 3)}' runs backwards` };
    ranges.push([low, high]);
    if (isRange) at += 2;
  }
  return { negated, ranges };
}

function globOf(tokens: readonly Token[]): Glob {
  const firstWild = tokens.findIndex((token) => !isLiteral(token));
  const lastWild = tokens.findLastIndex((token) => !isLiteral(token));
  const fixed = literalText(tokens);
  if (firstWild < 0) {
    return { head: fixed, tail: "", isExact: true, fixed, tokens, test: (name) => name === fixed };
  }
  const head = literalText(tokens.slice(0, firstWild));
  const tail = literalText(tokens.slice(lastWild + 1));
  const middle = tokens.slice(firstWild, lastWild + 1);
  const ends = head.length + tail.length;
  const isOneRun = middle.length === 1 && middle[0] === "run";
  const pieces = isOneRun ? [] : splitAtRuns(middle);
  const test = (name: string): boolean =>
    name.length >= ends &&
    name.startsWith(head) &&
    name.endsWith(tail) &&
    (isOneRun || matchPieces(pieces, name, head.length, name.length - tail.length));
  return { head, tail, isExact: false, fixed, tokens, test };
}

function isLiteral(token: Token): token is { readonly code: number } {
  return typeof token === "object" && "code" in token;
}

function literalText(tokens: readonly Token[]): string {
  return tokens.map((token) => (isLiteral(token) ? String.fromCharCode(token.code) : "")).join("");
}

/** The part of a pattern between two stars: it matches exactly `width` characters. */
interface Piece {
  readonly width: number;
  /** Sticky for the first piece, global for the others. */
  readonly pattern: RegExp | undefined;
}

const PICOMATCH_OPTIONS = {
  bash: true,
  dot: true,
  fastpaths: false,
  literalBrackets: false,
  nobrace: true,
  noextglob: true,
  nonegate: true,
  posix: true,
};

function splitAtRuns(tokens: readonly Token[]): Piece[] {
  const pieces: Exclude<Token, "run">[][] = [[]];
  for (const token of tokens) {
    if (token === "run") pieces.push([]);
    else pieces.at(-1)?.push(token);
  }
  return pieces.map((piece, index) => compilePiece(piece, index === 0));
}

function compilePiece(tokens: readonly Exclude<Token, "run">[], isFirst: boolean): Piece {
  if (tokens.length === 0) return { width: 0, pattern: undefined };
  const source = picomatch.makeRe(tokens.map(spell).join(""), PICOMATCH_OPTIONS, true) as unknown as string;
  return { width: tokens.length, pattern: new RegExp(source, isFirst ? "sy" : "sg") };
}

// In picomatch's dialect `?` and a negated class leave out the slash, and quotes and parentheses mean something.
function spell(token: Exclude<Token, "run">): string {
  if (token === "one") return "[\\u0000-\\uffff]";
  if (!isLiteral(token)) return spellRanges(token.negated ? complement(token.ranges) : token.ranges);
  const char = String.fromCharCode(token.code);
  return /[a-z0-9_-]/i.test(char) ? char : spellRanges([[token.code, token.code]]);
}

function spellRanges(ranges: CharClass["ranges"]): string {
  const unit = (code: number) => `\\u${code.toString(16).padStart(4, "0")}`;
  // A class of every character, negated, matches none.
  const texts =
    ranges.length === 0 ? ["^\\u0000-\\uffff"] : ranges.map(([low, high]) => `${unit(low)}-${unit(high)}`);
  return `[${texts.join("")}]`;
}

function complement(ranges: CharClass["ranges"]): CharClass["ranges"] {
  const rest: [number, number][] = [];
  let from = 0;
  for (const [low, high] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (low > from) rest.push([from, low - 1]);
    from = Math.max(from, high + 1);
  }
  if (from <= 0xffff) rest.push([from, 0xffff]);
  return rest;
}

// The first piece stands at the start, the last at the end, each between them as far left as it can. That is
// enough: a piece has one width, so that an earlier place never leaves less room for the pieces after it.
function matchPieces(pieces: readonly Piece[], name: string, from: number, to: number): boolean {
  let at = from;
  for (const [index, { width, pattern }] of pieces.entries()) {
    if (pattern === undefined) continue;
    const isLast = index > 0 && index === pieces.length - 1;
    if (isLast && to - width < at) return false;
    pattern.lastIndex = isLast ? to - width : at;
    const found = pattern.exec(name);
    if (found === null || found.index + width > to) return false;
    if (isLast && found.index !== to - width) return false;
    at = found.index + width;
  }
  return pieces.length > 1 || at === to;
}
