// The resources that a server has listed in one session, so that one that the client makes up is
// told from them. A template (RFC 6570, as far as servers use it) stands for any text without white
// space in place of an expression.

import { isObject } from "../../../wire/jsonrpc/message.ts";

/** Resources that are remembered, and templates: each read looks at every one of those. */
const LISTED_MAX = 20_000;
const TEMPLATES_MAX = 1_000;
const URI_MAX = 2_000;

/** The listed resources of one session. */
export class ResourceList {
  readonly #uris = new Set<string>();
  readonly #templates = new Map<string, readonly string[]>();

  /** Remembers a page of resources or templates. */
  learn(page: readonly unknown[]): void {
    for (const item of page) {
      if (!isObject(item)) continue;
      const { uri, uriTemplate } = item;
      if (typeof uri === "string" && uri.length <= URI_MAX && this.#uris.size < LISTED_MAX)
        this.#uris.add(uri);
      if (typeof uriTemplate !== "string" || this.#templates.size >= TEMPLATES_MAX) continue;
      const pieces = piecesOf(uriTemplate);
      if (pieces !== undefined) this.#templates.set(uriTemplate, pieces);
    }
  }

  /** Whether a resource was listed, or fits a template that was. */
  has(uri: string): boolean {
    if (this.#uris.has(uri)) return true;
    if (uri.length > URI_MAX || /\s/.test(uri)) return false;
    for (const pieces of this.#templates.values()) if (fits(uri, pieces)) return true;
    return false;
  }
}

/** The texts between the expressions; undefined for a template that could stand for anything. */
function piecesOf(template: string): readonly string[] | undefined {
  if (template.length > 500 || template.split("{").length > 4 || /^\s*\{/.test(template)) return undefined;
  // The client fills in the variables, so they must not decide what kind of thing is read.
  if (/^(?:file|https?|ftp|data|jdbc|postgres|mysql|mongodb|s3|ssh)/i.test(template)) return undefined;
  return template.split(/\{[^{}]*\}/);
}

/** Each piece where it comes first: no going back, whatever the texts are. */
function fits(uri: string, pieces: readonly string[]): boolean {
  const [first = "", ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return uri === first;
  if (!uri.startsWith(first) || !uri.endsWith(last) || uri.length < first.length + last.length) return false;
  const end = uri.length - last.length;
  let at = first.length;
  for (const piece of rest) {
    const found = uri.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
