// The published paths of Cloudflare's REST API, decoded from data/cloudflare-operations.txt at the first
// look-up. Knows no tier. A path that is not in it is an unknown operation, whatever it looks like.

import text from "./data/operations.txt" with { type: "text" };

/** A found operation. */
export interface CloudflareOperation {
  /** The SDK's name of it, `dns.records.create`; for paths that only wrangler uses, the path's words and a verb. */
  readonly id: string;
  /** The path's fixed words in order, without parameters. */
  readonly words: readonly string[];
  /** The values of the parameters after the words `accounts` and `zones`. */
  readonly account: string | undefined;
  readonly zone: string | undefined;
}

interface Node {
  readonly name: string;
  readonly children: Map<string, Node>;
  /** Method letter to `resource.method`; "*" stands for every method. */
  readonly operations: Map<string, string>;
}

const LETTERS: ReadonlyMap<string, string> = new Map([
  ["GET", "G"],
  ["HEAD", "G"],
  ["POST", "P"],
  ["PUT", "U"],
  ["PATCH", "A"],
  ["DELETE", "D"],
]);

const VERBS: ReadonlyMap<string, string> = new Map([
  ["G", "get"],
  ["P", "create"],
  ["U", "update"],
  ["A", "edit"],
  ["D", "delete"],
]);

let decoded: Node | undefined;

/** The operation that a method and the segments below `/client/v4` name; undefined for none that is published. */
export function findCloudflareOperation(
  method: string,
  segments: readonly string[],
): CloudflareOperation | undefined {
  const letter = LETTERS.get(method);
  if (letter === undefined) return undefined;
  decoded ??= decode();
  const trail: Node[] = [];
  if (!descend(decoded, segments, 0, letter, trail)) return undefined;
  const last = trail.at(-1);
  const named = last?.operations.get(letter);
  const id = named ?? `${last?.operations.get("*") ?? ""}${VERBS.get(letter) ?? ""}`;
  return { id, ...readTrail(segments, trail) };
}

function readTrail(segments: readonly string[], trail: readonly Node[]): Omit<CloudflareOperation, "id"> {
  const words: string[] = [];
  let account: string | undefined;
  let zone: string | undefined;
  for (const [index, node] of trail.entries()) {
    const segment = segments[index] ?? "";
    if (!node.name.startsWith("*")) {
      words.push(segment);
      continue;
    }
    const before = words.at(-1);
    const isAfterWord = trail[index - 1]?.name.startsWith("*") === false;
    if (isAfterWord && before === "accounts") account ??= segment;
    if (isAfterWord && before === "zones") zone ??= segment;
  }
  return { words, account, zone };
}

/** Depth first, a word before a parameter; `trail` gets the node of each segment. */
function descend(
  node: Node,
  segments: readonly string[],
  at: number,
  letter: string,
  trail: Node[],
): boolean {
  const segment = segments[at];
  if (segment === undefined) return node.operations.has(letter) || node.operations.has("*");
  const either = at === 0 && (segment === "accounts" || segment === "zones") ? "@" : undefined;
  for (const name of [segment, either, "*"]) {
    const next = name === undefined || name === "**" ? undefined : node.children.get(name);
    if (next === undefined) continue;
    trail.push(next);
    if (descend(next, segments, at + 1, letter, trail)) return true;
    trail.pop();
  }
  const open = node.children.get("**");
  if (open === undefined || !(open.operations.has(letter) || open.operations.has("*"))) return false;
  trail.push(open);
  return true;
}

function decode(): Node {
  const root: Node = { name: "", children: new Map(), operations: new Map() };
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const node = new TreeReader(line).read();
    root.children.set(node.name, node);
  }
  return root;
}

/** Reads `name!Gresource/method(child,child)`; the grammar is written by packaging/generate/cloudflare-operations.ts. */
class TreeReader {
  readonly #text: string;
  #at = 0;
  #resource = "";

  constructor(line: string) {
    this.#text = line;
  }

  read(): Node {
    const node: Node = { name: this.#word(), children: new Map(), operations: new Map() };
    while (this.#text[this.#at] === "!") {
      this.#at++;
      const op = this.#word();
      const slash = op.indexOf("/");
      if (slash !== -1) this.#resource = op.slice(1, slash);
      const resource = this.#resource === "" ? "" : `${this.#resource}.`;
      node.operations.set(op[0] ?? "", `${resource}${op.slice(slash === -1 ? 1 : slash + 1)}`);
    }
    if (this.#text[this.#at] === "(") {
      do {
        this.#at++;
        const child = this.read();
        node.children.set(child.name, child);
      } while (this.#text[this.#at] === ",");
      this.#at++;
    }
    return node;
  }

  #word(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !"!(),".includes(this.#text[this.#at] ?? "")) this.#at++;
    return this.#text.slice(start, this.#at);
  }
}
