// YAML, one document or several, masked on the original text: comments, repeated keys and the
// spelling of numbers stay. Reads with the yaml package, whose nodes know where they stand. What
// does not parse is masked as text.

import { type Alias, isAlias, isMap, isPair, isScalar, isSeq, type Node, parseAllDocuments } from "yaml";
import { type Hiding, hidingBy, hidingInside, isHiddenMember, moreHiding } from "./mask-json.ts";
import { maskFreeText } from "./mask-text.ts";
import { isSecretName } from "./secret-name.ts";
import { MASK } from "./secret-value.ts";

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const MAX_DEPTH = 100;

/** The text with secrets replaced; undefined when it is no YAML with a mapping in it. */
export function maskYaml(text: string, isSecret: boolean): string | undefined {
  let documents: ReturnType<typeof parseAllDocuments>;
  try {
    documents = parseAllDocuments(text, { uniqueKeys: false, logLevel: "silent", merge: false });
  } catch {
    return undefined;
  }
  if (!Array.isArray(documents) || documents.some(({ errors }) => errors.length > 0)) return undefined;
  if (!documents.some(({ contents }) => isMap(contents) || isSeq(contents))) return undefined;
  const masker = new YamlMasker(text);
  try {
    for (const document of documents) {
      masker.anchors((alias) => alias.resolve(document) as Node | undefined);
      masker.node(document.contents as Node | null, isSecret ? "values" : "names", "no", 0);
    }
  } catch (error) {
    if (error instanceof TooDeep) return undefined;
    throw error;
  }
  return masker.masked();
}

class TooDeep extends Error {}

class YamlMasker {
  readonly #text: string;
  readonly #edits = new Map<number, Edit>();
  #resolve: (alias: Alias) => Node | undefined = () => undefined;

  constructor(text: string) {
    this.#text = text;
  }

  anchors(resolve: (alias: Alias) => Node | undefined): void {
    this.#resolve = resolve;
  }

  masked(): string {
    let out = "";
    let at = 0;
    for (const { start, end, text } of [...this.#edits.values()].sort((a, b) => a.start - b.start)) {
      if (start < at) continue;
      out += this.#text.slice(at, start) + text;
      at = end;
    }
    return out + this.#text.slice(at);
  }

  node(node: Node | null | undefined, hiding: Hiding, hidden: "no" | "texts" | "all", depth: number): void {
    if (depth > MAX_DEPTH) throw new TooDeep();
    // An alias in a secret place makes its target secret.
    if (isAlias(node)) {
      const target = this.#resolve(node);
      if (hidden !== "no" && isScalar(target)) this.#scalar(target, true);
    } else if (isScalar(node)) this.#scalar(node, hidden !== "no");
    else if (isSeq(node)) for (const item of node.items) this.node(item as Node, hiding, hidden, depth + 1);
    else if (isMap(node)) {
      let own = hiding;
      for (const { key, value } of node.items)
        if (isScalar(key) && isScalar(value) && typeof value.value === "string")
          own = moreHiding(own, hidingBy(String(key.value), value.value));
      for (const pair of node.items) {
        if (!isPair(pair)) continue;
        const name = isScalar(pair.key) ? String(pair.key.value) : "";
        const isAll = hidden === "all" || isHiddenMember(name, own);
        const mode = isAll ? "all" : isSecretName(name) ? "texts" : "no";
        this.node(
          pair.value as Node | null,
          hidingInside(name, own === "named" ? "names" : own),
          mode,
          depth + 1,
        );
      }
    }
  }

  #scalar(node: Node & { readonly value?: unknown }, isHidden: boolean): void {
    const { range } = node;
    if (!range) return;
    const [start, end] = range;
    const { value } = node;
    if (isHidden) {
      if (value === null || value === "" || typeof value === "boolean" || end <= start) return;
      // A block scalar's range takes in the line end, which the next key needs.
      const source = this.#text.slice(start, end);
      const tail = /\r?\n$/.exec(source)?.[0] ?? "";
      this.#edits.set(start, { start, end, text: MASK_SCALAR + tail });
      return;
    }
    if (typeof value !== "string" || this.#edits.has(start)) return;
    const source = this.#text.slice(start, end);
    const masked = maskFreeText(source);
    if (masked !== source) this.#edits.set(start, { start, end, text: masked });
    // Escapes may hide a shape from the source.
    else if (source.includes("\\") && maskFreeText(value) !== value)
      this.#edits.set(start, { start, end, text: MASK_SCALAR });
  }
}

const MASK_SCALAR = `"${MASK}"`;
