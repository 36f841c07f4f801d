// XML: the text of elements and the values of attributes whose names are secret, masked on the
// original text. A tokenizer, no parser: text that a lenient reader would take for an element
// counts as one.

import { maskFreeText } from "./mask-text.ts";
import { isSecretName } from "./secret-name.ts";
import { MASK } from "./secret-value.ts";

const TAG =
  /<!\[CDATA\[([\s\S]*?)(?:\]\]>|$)|<!--[\s\S]*?(?:-->|$)|<(\/?)([A-Za-z_][\w:.-]*)((?:[^<>"']|"[^"]*"|'[^']*'){0,4096})>/g;
const ATTRIBUTE = /([\w:.-]+)(\s*=\s*)("[^"]*"|'[^']*')/g;

/** The text with secrets replaced. `isSecret`: the request is about secrets, every value is one. */
export function maskXml(text: string, isSecret: boolean): string {
  let out = "";
  let at = 0;
  /** The open elements that are secret, outermost first; their content is hidden. */
  const open: string[] = [];
  /** The last name or key that was read as a text: it names the value that follows. */
  let named = "";
  let current = "";
  const put = (content: string): string => {
    if (content.trim() === "") return content;
    if (/^(?:name|key)$|(?:parameter|option)(?:name|key)$/i.test(current)) named = content.trim();
    const isValue = /value$/i.test(current);
    const hides = open.length > 0 || (isValue && (isSecret || isSecretName(named)));
    return hides ? content.replace(/\S[\s\S]*\S|\S/, MASK) : maskFreeText(content);
  };
  for (const match of text.matchAll(TAG)) {
    out += put(text.slice(at, match.index));
    at = match.index + match[0].length;
    const [whole, cdata, closing, name = "", attributes = ""] = match;
    if (cdata !== undefined) {
      out += `<![CDATA[${put(cdata)}${whole.endsWith("]]>") ? "]]>" : ""}`;
      continue;
    }
    if (name === "") {
      out += maskFreeText(whole);
      continue;
    }
    const local = name.slice(name.indexOf(":") + 1);
    if (closing === "/") {
      if (open.at(-1) === name) open.pop();
      current = "";
      out += whole;
      continue;
    }
    current = local;
    if (isSecretName(local) && !attributes.endsWith("/")) open.push(name);
    out += `<${name}${attributes.replace(
      ATTRIBUTE,
      (each, attribute: string, equals: string, value: string) =>
        isSecretName(attribute.slice(attribute.indexOf(":") + 1)) && value.length > 2
          ? `${attribute}${equals}${value[0]}${MASK}${value[0]}`
          : maskFreeText(each),
    )}>`;
  }
  return out + put(text.slice(at));
}
