// Finds suspicious text in the words of a tool, before anybody has accepted them: signs that a
// person does not see, and orders to the model that no honest description needs. A find is a reason
// to ask a person, never proof.

import { inQuotes } from "../../../text/in-quotes.ts";

/** The flags of England, Scotland and Wales: the only ones that are spelled with tag characters. */
const FLAGS =
  /\u{1f3f4}\u{e0067}\u{e0062}(?:\u{e0065}\u{e006e}\u{e0067}|\u{e0073}\u{e0063}\u{e0074}|\u{e0077}\u{e006c}\u{e0073})\u{e007f}/gu;

/** Tag characters; bidirectional controls; what has no width and joins nothing. */
const HIDDEN =
  /[\u{e0000}-\u{e007f}]|[\u200b\u2060-\u2064\u206a-\u206f\u00ad\u180e\ufeff\ufff9-\ufffb]|[\u202a-\u202e\u2066-\u2069\u061c]|(?<!\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]?)\u200d(?!\p{Extended_Pictographic})/u;

/** Control characters that no text has. */
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

const ORDERS: readonly RegExp[] = [
  /<\s*(?:important|system|secret|instructions?|admin)\s*>/i,
  /\b(?:ignore|disregard|forget)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|other|all)\b[^.\n]{0,30}\b(?:instructions?|rules?|prompts?|messages?)\b/i,
  /\b(?:do not|don't|never|without)\b[^.\n]{0,20}\b(?:tell|telling|mention|mentioning|inform|informing|notify|notifying|reveal|show)\b[^.\n]{0,30}\b(?:user|human|person|anyone)\b/i,
  /(?:~\/|\/home\/|\/root\/|%userprofile%)[^\s"']{0,40}(?:\.ssh|id_rsa|\.aws\/credentials|mcp\.json|\.env\b|\.netrc)/i,
];

/** Why the text should be looked at, in a clause; undefined when nothing was found. */
export function suspicionOf(text: string): string | undefined {
  const hidden = HIDDEN.exec(text.replace(FLAGS, ""))?.[0];
  if (hidden !== undefined) return `it holds a hidden sign (${codeOf(hidden)})`;
  const control = CONTROL.exec(text)?.[0];
  if (control !== undefined) return `it holds a control character (${codeOf(control)})`;
  for (const order of ORDERS) {
    const found = order.exec(text)?.[0];
    if (found !== undefined) return `it gives the model orders (${inQuotes(found.slice(0, 60))})`;
  }
  return undefined;
}

/** The text with every hidden and control sign written out. */
export function visible(text: string): string {
  return text.replace(
    /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]|\p{Variation_Selector}/gu,
    (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** A name as it looks: `read_file`, `readFile` and `rеad-file` (with a Cyrillic е) look the same. */
export function looksLike(name: string): string {
  return name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[аеорсухіјѕԁɡ]/g, (sign) => LATIN[sign] ?? sign)
    .replace(/[αορνι]/g, (sign) => LATIN[sign] ?? sign)
    .replace(/0/g, "o")
    .replace(/[1|]/g, "l")
    .replace(/[^\p{L}\d]/gu, "");
}

const LATIN: Readonly<Record<string, string>> = {
  а: "a",
  е: "e",
  о: "o",
  р: "p",
  с: "c",
  у: "y",
  х: "x",
  і: "i",
  ј: "j",
  ѕ: "s",
  ԁ: "d",
  ɡ: "g",
  α: "a",
  ο: "o",
  ρ: "p",
  ν: "v",
  ι: "i",
};

function codeOf(sign: string): string {
  return `U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
