// Whether a program of awk only prints: no file, no pipe, no command, no other program. A small
// lexer, because a `>` compares in one place and writes a file in another, and a `/` begins a
// regular expression or divides.

type Kind = "word" | "number" | "string" | "regex" | "mark";
interface Token {
  readonly kind: Kind;
  readonly text: string;
}

const PATTERNS: readonly (readonly [Kind | "space", RegExp])[] = [
  ["space", /^(?:[ \t\r]|\\\n|#[^\n]*)+/],
  ["string", /^"(?:[^"\\\n]|\\.)*"/],
  ["number", /^(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/],
  ["word", /^[A-Za-z_]\w*/],
  ["mark", /^(?:\|\||&&|>>|\|&|[<>=!]=|\+\+|--|\*\*=?|[-+*/%^]=|[\n{}()[\];,<>|!~?:$+\-*/%^=@])/],
];
const REGEX = /^\/(?:[^/\\\n[]|\\.|\[\^?\]?(?:\[:\w+:\]|[^\]\n\\]|\\.)*\])+\//;

/** Words after which an expression begins, so that a `/` there begins a regular expression. */
const BEFORE_REGEX = new Set("print printf return in if while case do else".split(" "));

/** Never throws; an unreadable program is not plain. */
export function isPlainAwk(program: string): boolean {
  if (program.length > 10_000) return false;
  const tokens = lex(program);
  if (tokens === undefined) return false;
  let depth = 0;
  let printDepth: number | undefined;
  for (const { kind, text } of tokens) {
    if (kind === "word") {
      // ARGV says which files are read next; ENVIRON holds what `env` prints.
      if (/^(?:system|getline|close|nextfile|fflush|ARGV|ARGC|ENVIRON|SYMTAB|PROCINFO)$/.test(text))
        return false;
      if (text === "print" || text === "printf") printDepth = depth;
    }
    if (kind !== "mark") continue;
    if (text === "(" || text === "[") depth++;
    else if (text === ")" || text === "]") depth--;
    else if (/^[;\n{}]$/.test(text)) printDepth = undefined;
    else if (text === "|" || text === "|&" || text === ">>" || text === "@") return false;
    else if (text === ">" && printDepth !== undefined && depth <= printDepth) return false;
  }
  return true;
}

function lex(program: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  let rest = program;
  while (rest !== "") {
    const last = tokens.at(-1);
    const isOperand =
      last !== undefined &&
      (last.kind === "number" ||
        last.kind === "string" ||
        (last.kind === "word" && !BEFORE_REGEX.has(last.text)) ||
        last.text === ")" ||
        last.text === "]" ||
        last.text === "$" ||
        last.text === "++" ||
        last.text === "--");
    const regex = isOperand ? null : REGEX.exec(rest);
    if (regex !== null) {
      tokens.push({ kind: "regex", text: regex[0] });
      rest = rest.slice(regex[0].length);
      continue;
    }
    const found = PATTERNS.map(([kind, pattern]) => [kind, pattern.exec(rest)?.[0]] as const).find(
      ([, text]) => text !== undefined,
    );
    if (found === undefined || found[1] === undefined) return undefined;
    if (found[0] !== "space") tokens.push({ kind: found[0], text: found[1] });
    rest = rest.slice(found[1].length);
  }
  return tokens;
}
