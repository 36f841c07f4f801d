// Finds the published method behind a Google REST path: host and path segments in, method
// id out. Owns the reading of data/gcloud-methods.ts, nothing about tiers. A service's line
// is parsed when the first request for it comes; importing this file costs nothing.

import { GCLOUD_METHODS } from "./data/methods.ts";

/** HTTP methods as the data spells them. */
export type MethodLetter = "G" | "P" | "U" | "A" | "D";

/** One place in a service's tree of paths. */
interface PathNode {
  readonly name: string;
  readonly literals: Map<string, PathNode>;
  one: PathNode | undefined;
  open: PathNode | undefined;
  /** Letters whose id derives from the path; X is a POST named after the last word. */
  plain: string;
  named: Map<string, string> | undefined;
}

/** One service: how its ids begin, and its tree. */
export interface GoogleService {
  readonly name: string;
  readonly prefix: string;
  readonly isFlat: boolean;
  readonly create: string;
  readonly root: PathNode;
  /** Whether any of its paths names a project. */
  readonly hasProjects: boolean;
}

/** What the data says about a path. `words` are the fixed words of the path, outermost first. */
export interface FoundMethod {
  /** The method id, `compute.instances.insert`; undefined when the path exists but not with this HTTP method. */
  readonly id: string | undefined;
  /** Which of the segments are fixed words of the path rather than names of things. */
  readonly isWord: readonly boolean[];
  readonly words: readonly string[];
}

let lines: Map<string, string> | undefined;
const services = new Map<string, GoogleService>();

/** The service of this name (host without `.googleapis.com`, or first path segment on www), if published. */
export function googleService(name: string): GoogleService | undefined {
  const ready = services.get(name);
  if (ready !== undefined) return ready;
  if (lines === undefined) {
    lines = new Map();
    for (const line of GCLOUD_METHODS.split("\n")) lines.set(line.slice(0, line.indexOf(" ")), line);
  }
  const line = name === "" ? undefined : lines.get(name);
  if (line === undefined) return undefined;
  const [, prefix = "", style = "", create = "", tree = ""] = line.split(" ");
  const root = new TreeReader(tree).read();
  const hasProjects = /\bprojects\b/.test(tree);
  const service = { name, prefix, isFlat: style === "flat", create, root, hasProjects };
  services.set(name, service);
  return service;
}

/** Reads `name!ops(child,child)`; the grammar is written by packaging/generate/gcloud-methods.ts. */
class TreeReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): PathNode {
    const node: PathNode = {
      name: this.#word(),
      literals: new Map(),
      one: undefined,
      open: undefined,
      plain: "",
      named: undefined,
    };
    this.#readOps(node);
    if (this.#text[this.#at] === "(") {
      do {
        this.#at++;
        const child = this.read();
        if (child.name === "*") node.one = child;
        else if (child.name === "**") node.open = child;
        else node.literals.set(child.name, child);
      } while (this.#text[this.#at] === ",");
      this.#at++;
    }
    return node;
  }

  #readOps(node: PathNode): void {
    while (this.#text[this.#at] === "!") {
      this.#at++;
      const op = this.#word();
      const equals = op.indexOf("=");
      if (equals < 0) node.plain = op;
      else {
        node.named ??= new Map();
        node.named.set(op.slice(0, equals), op.slice(equals + 1));
      }
    }
    // A custom verb without operations is the common case, one POST.
    if (node.plain === "" && node.named === undefined && node.name.startsWith(":")) node.plain = "P";
  }

  #word(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !"!(),".includes(this.#text[this.#at] ?? "")) this.#at++;
    return this.#text.slice(start, this.#at);
  }
}

/** Finds a path; `verb` is what follows the last colon. Undefined when no version of the service has it. */
export function findMethod(
  service: GoogleService,
  segments: readonly string[],
  verb: string | undefined,
  letter: MethodLetter,
): FoundMethod | undefined {
  const trail: PathNode[] = [];
  const steps = verb === undefined ? segments : [...segments, `:${verb}`];
  if (!descend(service.root, steps, 0, letter, trail) && !descend(service.root, steps, 0, undefined, trail))
    return undefined;
  return { id: idOf(service, trail, letter), isWord: markWords(segments, trail), words: wordsOf(trail) };
}

const PARENTS: ReadonlySet<string> = new Set(["projects", "organizations", "folders"]);

/** `**` in a trail stands for as many segments as the rest leaves over; it is the last node but for a verb. */
function markWords(segments: readonly string[], trail: readonly PathNode[]): boolean[] {
  return segments.map((segment, index) => {
    const node = trail[index];
    if (node === undefined) return false;
    // Where a service takes any parent (`v1/{parentType}/{parent}/services`), the first is a word all the same.
    return (
      isFixed(node) ||
      (trail[index - 1]?.name === "V" && trail[index + 1]?.name === "*" && PARENTS.has(segment))
    );
  });
}

function descend(
  node: PathNode,
  steps: readonly string[],
  at: number,
  letter: MethodLetter | undefined,
  trail: PathNode[],
): boolean {
  const step = steps[at];
  if (step === undefined) return letter === undefined ? hasOps(node) : hasOp(node, letter);
  const isVersion = at < 3 && VERSION.test(step);
  for (const next of [node.literals.get(step), isVersion ? node.literals.get("V") : undefined, node.one]) {
    if (next === undefined || (next === node.one && step.startsWith(":"))) continue;
    trail.push(next);
    if (descend(next, steps, at + 1, letter, trail)) return true;
    trail.pop();
  }
  return node.open !== undefined && descendOpen(node.open, steps, at, letter, trail);
}

/** `**` takes everything up to the custom verb. */
function descendOpen(
  open: PathNode,
  steps: readonly string[],
  at: number,
  letter: MethodLetter | undefined,
  trail: PathNode[],
): boolean {
  const hasVerb = steps.at(-1)?.startsWith(":") === true;
  const end = hasVerb ? steps.length - 1 : steps.length;
  if (end <= at) return false;
  trail.push(open);
  if (descend(open, steps, end, letter, trail)) return true;
  trail.pop();
  return false;
}

/** The version segment of a path: `v1`, `v1beta1`, `v4.1`, `alpha`. */
export const VERSION = /^(?:v\d+[a-z0-9]*(?:\.\d+)?|alpha|beta)$/;

const hasOps = (node: PathNode): boolean => node.plain !== "" || node.named !== undefined;

const hasOp = (node: PathNode, letter: MethodLetter): boolean =>
  node.plain.includes(letter) ||
  (letter === "P" && node.plain.includes("X")) ||
  node.named?.has(letter) === true;

const isFixed = (node: PathNode): boolean => {
  const { name } = node;
  return name !== "*" && name !== "**" && name !== "V" && !name.startsWith(":");
};

function wordsOf(trail: readonly PathNode[]): string[] {
  const words: string[] = [];
  for (const node of trail) if (isFixed(node)) words.push(node.name);
  return words;
}

function idOf(service: GoogleService, trail: readonly PathNode[], letter: MethodLetter): string | undefined {
  const last = trail.at(-1);
  if (last === undefined) return undefined;
  const words = wordsOf(trail);
  const named = last.named?.get(letter);
  if (named?.startsWith("./")) return named.slice(2);
  if (named?.startsWith(".")) return `${service.prefix}${named}`;
  if (named !== undefined) return joinId(service, words, named);
  if (letter === "P" && last.plain.includes("X"))
    return joinId(service, words.slice(0, -1), words.at(-1) ?? "");
  if (!last.plain.includes(letter)) return undefined;
  if (last.name.startsWith(":")) return joinId(service, words, last.name.slice(1));
  const isItem = !isFixed(last);
  const verbs = { G: isItem ? "get" : "list", P: service.create, A: "patch", U: "update", D: "delete" };
  return joinId(service, words, verbs[letter]);
}

function joinId(service: GoogleService, words: readonly string[], verb: string): string {
  const resource = service.isFlat ? (words.at(-1) ?? "") : words.join(".");
  return resource === "" ? `${service.prefix}.${verb}` : `${service.prefix}.${resource}.${verb}`;
}
