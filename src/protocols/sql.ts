// SQL, read statement by statement as far as its words tell the effect: strings, quoted names and
// comments left out. Dialects differ in what ends a string, so the text is read in every way that a
// server may read it and the strictest reading counts. Also serves PartiQL and Cypher, whose words
// are the same. Linear in the text.

import { stricterTier, type Tier } from "../model/tier.ts";

/** The effect of an SQL text: the highest tier of its statements. */
export interface SqlFinding {
  readonly tier: Tier;
  readonly reason: string;
}

/** Longer texts count as deletions. */
const MAX_LENGTH = 256 * 1024;

/** Characters in all readings of a text together; a long text with lone carriage returns has more. */
const MAX_WORK = 4 * MAX_LENGTH;

/** The strictest of all statements in several texts; undefined where there is none, or one that says nothing of itself. */
export function judgeSql(texts: readonly string[]): SqlFinding | undefined {
  let strictest: SqlFinding | undefined;
  let isUnsure = false;
  let length = 0;
  for (const text of texts) {
    length += text.length;
    if (length > MAX_LENGTH) return { tier: "sensitive", reason: "runs more SQL than is read" };
    const dialects = dialectsOf(text);
    if (dialects.length * text.length > MAX_WORK)
      return { tier: "sensitive", reason: "runs SQL of many readings" };
    for (const dialect of dialects)
      for (const statement of statementsOf(text, dialect)) {
        const found = judgeStatement(statement);
        if (found === undefined) isUnsure = true;
        else if (strictest === undefined || stricterTier(strictest.tier, found.tier) !== strictest.tier)
          strictest = found;
      }
  }
  return isUnsure && strictest?.tier === "observe" ? undefined : strictest;
}

/** Without these no two dialects differ. */
const UNSURE = /[#"$!\\]|--\S|\/\*|'''/;

/** Every way in which a server may read the text. */
function dialectsOf(text: string): readonly Dialect[] {
  const dialects = UNSURE.test(text) ? DIALECTS : [STANDARD];
  const named = text.includes("[") ? [...dialects, BRACKETS] : dialects;
  if (!/\r(?!\n)/.test(text)) return named;
  return [...named, ...named.map((dialect) => ({ ...dialect, isReturnAnEnd: true }))];
}

interface Dialect {
  /** A backslash in a string takes the next character with it, `"` opens a string too, `#` a comment (MySQL, BigQuery, Spark). */
  readonly isEscaping: boolean;
  /** `$tag$` quotes and comments nest (PostgreSQL, Redshift). */
  readonly isPostgres: boolean;
  /** `[…]` quotes a name (SQLite). */
  readonly hasBrackets: boolean;
  /** A line, and a comment in it, ends at a lone carriage return (PostgreSQL, BigQuery, Athena). */
  readonly isReturnAnEnd: boolean;
}

const STANDARD: Dialect = { isEscaping: false, isPostgres: false, hasBrackets: false, isReturnAnEnd: false };
const BRACKETS: Dialect = { ...STANDARD, hasBrackets: true };
const DIALECTS: readonly Dialect[] = [
  STANDARD,
  { ...STANDARD, isEscaping: true },
  { ...STANDARD, isPostgres: true },
];

/** The bare words of one statement in upper case; `(` stands where a bracket follows a word, `)` where one closes. */
type Statement = readonly string[];

/** More words than anybody writes; the rest would only be values. */
const MAX_WORDS = 100_000;

function statementsOf(text: string, dialect: Dialect): Statement[] {
  const statements: string[][] = [];
  let words: string[] = [];
  let count = 0;
  for (let at = 0; at < text.length; ) {
    const char = text.charCodeAt(at);
    if (isWordStart(char)) {
      let end = at + 1;
      while (end < text.length && isWordPart(text.charCodeAt(end))) end++;
      if (++count > MAX_WORDS) return [...statements, [...words, TOO_MUCH]];
      words.push(text.slice(at, Math.min(end, at + 64)).toUpperCase());
      at = end;
      continue;
    }
    if (char <= 0x20) {
      at++;
      continue;
    }
    const end = endOfQuoted(text, at, dialect);
    if (end !== undefined) {
      const called = calledName(text, at, end);
      if (called !== undefined) words.push(called);
      at = end;
      continue;
    }
    if (char === 0x3b && words.length > 0) {
      statements.push(words);
      words = [];
    } else if (char === 0x28 && words.length > 0 && words.at(-1) !== "(") words.push("(");
    else if (char === 0x29 && words.length > 0 && words.at(-1) !== ")") words.push(")");
    at++;
  }
  if (words.length > 0) statements.push(words);
  return statements;
}

const TOO_MUCH = "\0";

/** Functions are called by quoted names, too; any other name says nothing. */
function calledName(text: string, from: number, end: number): string | undefined {
  if (text[from] === "'" || end - from < 6 || end - from > 40) return undefined;
  let next = end;
  while (text.charCodeAt(next) <= 0x20) next++;
  if (text[next] !== "(") return undefined;
  const name = text.slice(from + 1, end - 1).toUpperCase();
  return ACTING.test(name) ? name : undefined;
}

/** Letters, `_` and everything beyond ASCII but its blanks, which BigQuery takes for such. */
function isWordStart(code: number): boolean {
  if (code <= 0x7f) return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f;
  return !isBlank(code);
}

function isBlank(code: number): boolean {
  return (
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    (code >= 0x2028 && code <= 0x202f) ||
    code === 0x205f ||
    code === 0x3000 ||
    code === 0xfeff
  );
}

function isWordPart(code: number): boolean {
  return isWordStart(code) || (code >= 0x30 && code <= 0x39);
}

/** Where a string, a quoted name or a comment that opens here ends; undefined when none does. */
function endOfQuoted(text: string, at: number, dialect: Dialect): number | undefined {
  const { isEscaping, isPostgres } = dialect;
  switch (text[at]) {
    case "'":
    case '"': {
      const quote = text[at] ?? "";
      const isTriple = isEscaping && text.startsWith(quote.repeat(3), at);
      if (isTriple) return endOfString(text, at + 3, quote.repeat(3), true);
      // PostgreSQL's E'…' has backslashes whatever the setting.
      const before = text[at - 1];
      const isOwn = isPostgres && quote === "'" && (before === "E" || before === "e");
      return endOfString(text, at + 1, quote, isEscaping || isOwn);
    }
    case "`":
      return endOfString(text, at + 1, "`", isEscaping);
    case "[":
      return dialect.hasBrackets ? after(text.indexOf("]", at), 1, text) : undefined;
    case "#":
      return isEscaping ? endOfLine(text, at, dialect) : undefined;
    case "-": {
      if (text[at + 1] !== "-") return undefined;
      // MySQL wants a blank after the dashes.
      return isEscaping && /\S/.test(text[at + 2] ?? " ") ? undefined : endOfLine(text, at, dialect);
    }
    case "/":
      if (text[at + 1] !== "*") return undefined;
      // MySQL runs the text in /*! … */; the end is skipped like any other sign.
      if (isEscaping && /^(?:M?!)/.test(text.slice(at + 2, at + 4))) return at + 3;
      return isPostgres ? endOfNested(text, at + 2) : after(text.indexOf("*/", at + 2), 2, text);
    case "$": {
      if (!isPostgres) return undefined;
      const tag = /^\$(?:[a-z_]\w{0,62})?\$/i.exec(text.slice(at, at + 66))?.[0];
      return tag === undefined ? undefined : after(text.indexOf(tag, at + tag.length), tag.length, text);
    }
    default:
      return undefined;
  }
}

function after(found: number, length: number, text: string): number {
  return found < 0 ? text.length : found + length;
}

function endOfLine(text: string, from: number, { isReturnAnEnd }: Dialect): number {
  if (!isReturnAnEnd) return after(text.indexOf("\n", from), 1, text);
  let at = from;
  while (at < text.length && text[at] !== "\n" && text[at] !== "\r") at++;
  return at + 1;
}

function endOfString(text: string, from: number, quote: string, hasEscapes: boolean): number {
  for (let at = from; at < text.length; at++) {
    if (hasEscapes && text[at] === "\\") at++;
    else if (text.startsWith(quote, at)) {
      // A quote twice stands for itself.
      if (quote.length > 1 || text[at + 1] !== quote) return at + quote.length;
      at++;
    }
  }
  return text.length;
}

function endOfNested(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith("*/", at)) {
      at++;
      if (--depth === 0) return at + 1;
    } else if (text.startsWith("/*", at)) {
      at++;
      depth++;
    }
  }
  return text.length;
}

const READING: ReadonlySet<string> = new Set([
  ...["SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "FROM"],
]);

/** Words that delete existing things, wherever they stand in a statement. */
const DESTROYING: ReadonlySet<string> = new Set([
  ...["DROP", "DELETE", "TRUNCATE", "PURGE", "UNDROP", "KILL", "SHUTDOWN", "FORGET"],
]);

/** They run code that the text does not show. */
const RUNNING: ReadonlySet<string> = new Set(["CALL", "EXEC", "EXECUTE", "DO"]);

const WRITING: ReadonlySet<string> = new Set([
  ...["INSERT", "UPDATE", "MERGE", "UPSERT", "INTO", "CREATE", "ALTER", "COPY", "UNLOAD", "EXPORT", "LOAD"],
  ...["ATTACH", "REINDEX", "VACUUM", "REFRESH", "RENAME", "LOCK"],
]);

/** Functions that do more than compute, in a SELECT as anywhere. */
const ACTING =
  /^(?:PG_(?:TERMINATE_BACKEND|CANCEL_BACKEND|READ_\w*FILE|RELOAD_CONF|ROTATE_LOGFILE|LS_DIR|PROMOTE|SWITCH_WAL|DROP_\w+|FILE_\w+|LOGICAL_EMIT_MESSAGE|CREATE_\w+)|LO_(?:UNLINK|IMPORT|EXPORT|PUT|CREATE?|FROM_BYTEA)|QUERY_EXPORT_TO_S3|TABLE_IMPORT_FROM_S3|LAMBDA_(?:A?SYNC)|INVOKE|DBLINK\w*|QUERY_TO_XML\w*|SET_CONFIG|SETVAL|LOAD_EXTENSION|WRITEFILE|LOAD_FILE|XP_\w+|SP_\w+|SYS_EXEC|EXTERNAL_QUERY)$/;

const PRINCIPALS: ReadonlySet<string> = new Set(["USER", "ROLE", "LOGIN", "GROUP", "POLICY", "IDENTITY"]);

const GRANTS: SqlFinding = { tier: "break-glass", reason: "runs SQL that changes who has access" };
const PROGRAM: SqlFinding = { tier: "break-glass", reason: "runs SQL that runs a program" };
const DESTROYS: SqlFinding = { tier: "sensitive", reason: "runs SQL that deletes" };
const HIDES: SqlFinding = { tier: "sensitive", reason: "runs SQL that may do anything" };
const WRITES: SqlFinding = { tier: "modify", reason: "runs SQL that writes" };
const READS: SqlFinding = { tier: "observe", reason: "runs SQL that reads" };

function judgeStatement(words: Statement): SqlFinding | undefined {
  const [first = ""] = words;
  let strictest: SqlFinding | undefined;
  if (READING.has(first) || isReadingPragma(words)) strictest = READS;
  else if (first === "PRAGMA" || first === "SET") strictest = WRITES;
  for (const [at, word] of words.entries()) {
    const found = judgeWord(word, words, at);
    if (found?.tier === "break-glass") return found;
    if (found === undefined) continue;
    if (strictest === undefined || stricterTier(strictest.tier, found.tier) !== strictest.tier)
      strictest = found;
  }
  return strictest;
}

function judgeWord(word: string, words: Statement, at: number): SqlFinding | undefined {
  const before = words[at - 1];
  const next = words[at + 1];
  if (word === "GRANT" || word === "REVOKE") return GRANTS;
  if (word === "ACCESS" && before === "ROW" && next === "POLICY") return GRANTS;
  if ((word === "CREATE" || word === "ALTER") && isAboutPrincipals(words, at)) return GRANTS;
  if (word === "OWNER" && next === "TO") return GRANTS;
  if (word === "SET" && next === "PASSWORD") return GRANTS;
  if (word === "PROGRAM" && words[0] === "COPY") return PROGRAM;
  if (word === TOO_MUCH) return HIDES;
  if (DESTROYING.has(word)) {
    // ON DELETE CASCADE describes a key; TRUNCATE(x, 2) cuts a number.
    if (word === "DELETE" && before === "ON") return undefined;
    return word === "TRUNCATE" && next === "(" ? undefined : DESTROYS;
  }
  if (RUNNING.has(word))
    return at === 0 || word === "EXECUTE" || word === "EXEC" || word === "CALL" ? HIDES : undefined;
  if (next === "(" && ACTING.test(word)) return HIDES;
  if (word === "REPLACE") return next === "INTO" ? WRITES : undefined;
  // SELECT … FOR UPDATE only locks.
  if (word === "UPDATE" && (before === "FOR" || before === "ON" || before === "KEY")) return undefined;
  return WRITING.has(word) && (at === 0 || next !== "(") ? WRITES : undefined;
}

/** CREATE [OR REPLACE] USER, ALTER ROLE, CREATE ROW ACCESS POLICY and the like. */
function isAboutPrincipals(words: Statement, at: number): boolean {
  return words.slice(at + 1, at + 6).some((word) => PRINCIPALS.has(word)) && !names(words, at);
}

/**
 * Whether the statement creates, changes or drops a table or the like, so that a principal's word is only a
 * name in it.
 */
function names(words: Statement, at: number): boolean {
  return words
    .slice(at + 1, at + 4)
    .some((word) =>
      /^(?:TABLE|VIEW|INDEX|DATABASE|SCHEMA|FUNCTION|PROCEDURE|TRIGGER|SEQUENCE|TYPE|COLUMN)$/.test(word),
    );
}

/** SQLite's settings: without a value they are read. */
function isReadingPragma(words: Statement): boolean {
  return (
    words[0] === "PRAGMA" &&
    /^(?:TABLE_(?:INFO|XINFO|LIST)|INDEX_(?:LIST|INFO|XINFO)|FOREIGN_KEY_(?:LIST|CHECK)|DATABASE_LIST|COLLATION_LIST|FUNCTION_LIST|INTEGRITY_CHECK|QUICK_CHECK|COMPILE_OPTIONS)$/.test(
      words[1] ?? "",
    )
  );
}
