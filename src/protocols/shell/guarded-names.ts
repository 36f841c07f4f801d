// The names of the programs that classifiers read, and whether a text names one: plainly, in pieces
// that are put together, or by a simple code (escapes, hexadecimal, base64, turned round, ROT13).
// A name that is found makes an answer stricter and never milder.

/** Every program that a classifier reads, with other names for it, and the programs that connect to hosts of SSH. */
export const JUDGED_PROGRAMS: ReadonlySet<string> = new Set(
  "kubectl kubecolor kustomize k gcloud gsutil bq aws awscli aws-cli gh terraform tofu tf opentofu helm wrangler flarectl fly flyctl ssh scp sftp".split(
    " ",
  ),
);

/** More behind a program's name: a version, or the name that a wrapper leaves it. */
const SUFFIX =
  /(?<=[a-z]{3})(?:[-_.]?v?\d[\w.-]*|[-_.](?:real|orig\w*|bin|wrapped|unwrapped|linux|darwin|amd64|arm64|x86_64)[\w.-]*)$/;

/** A program's name in small letters, without `.exe`, a version and the like. */
export function bareName(name: string): string {
  return name
    .toLowerCase()
    .replace(/\.exe$/, "")
    .replace(SUFFIX, "")
    .replace(/^\./, "");
}

/** Names that are no part of another word. */
const LONG = /kubectl|kustomize|gcloud|gsutil|terraform|opentofu|wrangler|flarectl|flyctl|kubecolor/i;
/** Shorter ones count where a word follows, as a command has it. */
const SHORT = /(?<![\w.@-])(?:helm|tofu|aws|gh|fly)(?:\.exe)?["'`]?(?:\s+|\s*,\s*)["'`]?(?![\s=])[a-z-]/;
/** The shortest ones only at the beginning of a text. */
const TINY = /(?:^|["'`!;|&(=])\s*(?:k|tf|bq)["'`]?(?:\s+|\s*,\s*)["'`]?[a-z]{3}/;

/** More than this is not decoded. */
const DECODED_MAX = 64 * 1024;
const DEPTH_MAX = 3;

/** The guarded program that a text names, in letters or in a simple code; undefined where none is found. */
export function guardedNameIn(text: string): string | undefined {
  return nameIn(text, 0);
}

function nameIn(text: string, depth: number): string | undefined {
  const plain = plainName(text);
  if (plain !== undefined || text.length > DECODED_MAX || text.length < 4) return plain;
  const whole = unescaped(text);
  if (whole !== text) return plainName(whole) ?? (depth < DEPTH_MAX ? nameIn(whole, depth + 1) : undefined);
  const turned = LONG.exec(squeezed([...text].reverse().join(""))) ?? LONG.exec(squeezed(rot13(text)));
  if (turned !== null) return turned[0].toLowerCase();
  for (const each of decodings(text)) {
    const found = depth < DEPTH_MAX ? nameIn(each, depth + 1) : plainName(each);
    if (found !== undefined) return found;
  }
  return undefined;
}

function plainName(text: string): string | undefined {
  const joined = text.replace(/["'`]\s*[+.]?\s*["'`]/g, "");
  const found =
    LONG.exec(text) ?? LONG.exec(squeezed(text)) ?? SHORT.exec(text) ?? TINY.exec(text) ?? SHORT.exec(joined);
  return found === null ? undefined : /[a-z]+/i.exec(found[0])?.[0].toLowerCase();
}

/** Only letters and digits: quotes, signs and blanks between the pieces of a name are gone. */
function squeezed(text: string): string {
  return text.replace(/[^A-Za-z0-9]+/g, "");
}

/** The text with the escapes of C, of URLs and of HTML resolved. */
function unescaped(text: string): string {
  if (!/[\\%&]/.test(text)) return text;
  return text.replace(
    /\\x\{?([\da-f]{2})\}?|\\u\{?0*([\da-f]{2})\}?|\\0?([0-7]{3})|%([\da-f]{2})|&#x([\da-f]{2});|&#0*(\d{2,3});/gi,
    (_, x, u, octal, url, html, decimal) =>
      String.fromCharCode(
        octal !== undefined
          ? Number.parseInt(octal, 8) & 0xff
          : decimal !== undefined
            ? Number(decimal) & 0xff
            : Number.parseInt(x ?? u ?? url ?? html, 16),
      ),
  );
}

function rot13(text: string): string {
  return text.replace(/[A-Za-z]/g, (letter) => {
    const base = letter <= "Z" ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
  });
}

/** The texts that runs of digits and letters stand for. */
function* decodings(text: string): Generator<string> {
  const numbers = text.match(/(?<!\w)\d{2,3}(?!\w)/g);
  if (numbers !== null && numbers.length > 3)
    yield numbers.map((each) => String.fromCharCode(Number(each) & 0xff)).join("");
  const pairs = text.match(/(?<![\da-z])(?:0x)?[\da-f]{2}(?![\da-z])/gi);
  if (pairs !== null && pairs.length > 3) yield fromHex(pairs.map((each) => each.slice(-2)).join(""));
  for (const source of new Set([text, text.replace(/["'`]\s*[+.]?\s*["'`]/g, "").replace(/\\?\n/g, "")])) {
    for (const run of source.match(/[\da-f]{8,}/gi) ?? []) if (run.length % 2 === 0) yield fromHex(run);
    for (const run of source.match(/[A-Za-z0-9+/_-]{6,}/g) ?? []) {
      const decoded = fromBase64(run);
      if (decoded !== undefined) yield decoded;
    }
  }
}

function fromHex(digits: string): string {
  return digits.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)));
}

/** Undefined where the result is no text. */
function fromBase64(run: string): string | undefined {
  if (run.length % 4 === 1) return undefined;
  let decoded: string;
  try {
    decoded = atob(run.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return undefined;
  }
  return /^[\t\n\r\x20-\x7e]+$/.test(decoded) ? decoded : undefined;
}

/** A name where a command may begin with it, and the words behind it up to a sign that ends them. */
const CALL =
  /(?<![\w.@/-])(?:[\w.~/-]*\/)?(kubectl|kubecolor|kustomize|gcloud|gsutil|terraform|opentofu|wrangler|flarectl|flyctl|helm|tofu|aws|gh|fly|bq|tf|k)(?:\.exe)?["']?(?:\s+|\s*,\s*)([^;|&\n`)\]}<>]+)/g;
const CALLS_MAX = 50;

/** Command lines of guarded programs that seem to stand in a text, as words. */
export function callsIn(text: string): readonly (readonly string[])[] {
  const found: string[][] = [];
  if (text.length > DECODED_MAX) return found;
  for (const [, name = "", rest = ""] of text.matchAll(CALL)) {
    if (found.length >= CALLS_MAX) break;
    found.push([name, ...rest.split(/[\s"',]+/).filter((each) => each !== "")]);
  }
  return found;
}
