// A body as a person is shown it: the sent text with only its secrets replaced. The form is found
// by the content type and, where that says nothing or is wrong, by the first characters.

import { maskJson } from "./mask-json.ts";
import { maskMultipart } from "./mask-multipart.ts";
import { maskPairs } from "./mask-pairs.ts";
import { maskFreeText } from "./mask-text.ts";
import { maskXml } from "./mask-xml.ts";
import { maskYaml } from "./mask-yaml.ts";

/** As much as anybody reads; it also bounds the work. */
const SHOWN_MAX = 64 * 1024;
/** Its parser takes 30 times as long as the others. */
const YAML_MAX = 12 * 1024;
const MAX_NESTING = 3;

/**
 * The text with its secrets replaced by `***`. `isSecret`: the request is about secrets, so every value is
 * one. The beginning of a long text, with every value masked: the rest may say that it is secret.
 */
export function maskBody(contentType: string, text: string, isSecret: boolean): string {
  if (text.length <= SHOWN_MAX) return maskWhole(contentType, text, isSecret, false, 0);
  // Not in the middle of a word: half a token would be known by nothing.
  const end = /[^\w.+/=~-][\w.+/=~-]*$/.exec(text.slice(0, SHOWN_MAX))?.index ?? 0;
  const shown = maskWhole(contentType, text.slice(0, end), true, true, 0);
  return `${shown}\n${rest(text.length - end)}`;
}

function rest(length: number): string {
  return `(${length} more characters; every value is masked in this part)`;
}

function maskWhole(
  contentType: string,
  text: string,
  isSecret: boolean,
  isCut: boolean,
  nesting: number,
): string {
  const type = contentType.toLowerCase();
  if (/^multipart\//.test(type) && nesting < MAX_NESTING) {
    const masked = maskMultipart(contentType, text, (inner, part) =>
      maskWhole(inner, part, isSecret, isCut, nesting + 1),
    );
    if (masked !== undefined) return masked;
  }
  if (/^\s*[[{"\x1e]/.test(text)) {
    const masked = maskJson(text, isSecret, isCut);
    if (masked !== undefined) return masked;
  }
  if (/^\s*</.test(text)) return maskXml(text, isSecret);
  if (/\bx-www-form-urlencoded\b/.test(type) || /^[^\s=&<>{}:"]{1,200}=[^\s"'`;$|]*$/.test(text))
    return maskPairs(text, isSecret);
  if (/yaml/.test(type) || /^(?:---|[\w"'.-]+:(?:\s|$)|- |#|%YAML)/.test(text)) {
    const isWhole = text.length <= YAML_MAX && !isCut;
    const end = isWhole ? text.length : text.lastIndexOf("\n", YAML_MAX) + 1;
    const masked = maskYaml(text.slice(0, end), isSecret || !isWhole);
    if (masked !== undefined) return isWhole ? masked : `${masked}${rest(text.length - end)}`;
  }
  return maskFreeText(text);
}
