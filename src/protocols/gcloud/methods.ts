// Finds the published method behind a Google REST path: host and path segments in, method
// id out. Owns the reading of operations.tsv, nothing about tiers. A service's rows
// are read when the first request for it comes; importing this file costs nothing.

import { Catalogue } from "../catalogue.ts";
import table from "./operations.tsv" with { type: "text" };

/** HTTP methods as the data spells them. */
export type PublishedMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** One place in a service's tree of paths. */
interface PathNode {
  readonly name: string;
  readonly literals: Map<string, PathNode>;
  one: PathNode | undefined;
  open: PathNode | undefined;
  /** Method ids by HTTP method. */
  readonly ids: Map<string, string>;
}

/** One service: how its ids begin, and its tree. */
export interface GoogleService {
  readonly name: string;
  /** The common first part of its method ids. */
  readonly prefix: string;
  readonly root: PathNode;
  /** Whether any of its paths names a project. */
  readonly hasProjects: boolean;
}

/** A path's method in the data. `words` are the fixed words of the path, outermost first. */
export interface FoundMethod {
  /** The method id, `compute.instances.insert`; undefined when the path exists but not with this HTTP method. */
  readonly id: string | undefined;
  /** Which of the segments are fixed words of the path rather than names of things. */
  readonly isWord: readonly boolean[];
  readonly words: readonly string[];
}

/** Every method with its tier. */
export const googleTable = new Catalogue(table);

const services = new Map<string, GoogleService>();

/** The service of this name (host without `.googleapis.com`, or first path segment on www), if published. */
export function googleService(name: string): GoogleService | undefined {
  const ready = services.get(name);
  if (ready !== undefined) return ready;
  const rows = googleTable.rowsOf(name);
  if (rows.length === 0) return undefined;
  const root = newNode("");
  const prefixes = new Map<string, number>();
  let hasProjects = false;
  for (const { operation, routes } of rows) {
    const prefix = operation.slice(0, operation.indexOf("."));
    prefixes.set(prefix, (prefixes.get(prefix) ?? 0) + routes.length);
    for (const { method, path } of routes) {
      hasProjects ||= /\bprojects\b/.test(path);
      nodeAt(root, path).ids.set(method, operation);
    }
  }
  const prefix = [...prefixes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? name;
  const service = { name, prefix, root, hasProjects };
  services.set(name, service);
  return service;
}

function newNode(name: string): PathNode {
  return { name, literals: new Map(), one: undefined, open: undefined, ids: new Map() };
}

/** The node of a template, `/{version}/projects/*:undelete`; a custom verb is a step of its own. */
function nodeAt(root: PathNode, path: string): PathNode {
  let node = root;
  for (const segment of path.slice(1).split("/")) {
    const colon = segment.indexOf(":");
    node = childOf(node, colon < 0 ? segment : segment.slice(0, colon));
    if (colon >= 0) node = childOf(node, segment.slice(colon));
  }
  return node;
}

function childOf(node: PathNode, name: string): PathNode {
  if (name === "*") {
    node.one ??= newNode(name);
    return node.one;
  }
  if (name === "**") {
    node.open ??= newNode(name);
    return node.open;
  }
  const known = node.literals.get(name);
  if (known !== undefined) return known;
  const child = newNode(name);
  node.literals.set(name, child);
  return child;
}

/** Finds a path; `verb` is the text after the last colon. Undefined when no version of the service has it. */
export function findMethod(
  service: GoogleService,
  segments: readonly string[],
  verb: string | undefined,
  method: PublishedMethod,
): FoundMethod | undefined {
  const trail: PathNode[] = [];
  const steps = verb === undefined ? segments : [...segments, `:${verb}`];
  if (!descend(service.root, steps, 0, method, trail) && !descend(service.root, steps, 0, undefined, trail))
    return undefined;
  return { id: trail.at(-1)?.ids.get(method), isWord: markWords(segments, trail), words: wordsOf(trail) };
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
      (trail[index - 1]?.name === VERSION_STEP && trail[index + 1]?.name === "*" && PARENTS.has(segment))
    );
  });
}

function descend(
  node: PathNode,
  steps: readonly string[],
  at: number,
  method: PublishedMethod | undefined,
  trail: PathNode[],
): boolean {
  const step = steps[at];
  if (step === undefined) return method === undefined ? node.ids.size > 0 : node.ids.has(method);
  const isVersion = at < 3 && VERSION.test(step);
  for (const next of [
    node.literals.get(step),
    isVersion ? node.literals.get(VERSION_STEP) : undefined,
    node.one,
  ]) {
    if (next === undefined || (next === node.one && step.startsWith(":"))) continue;
    trail.push(next);
    if (descend(next, steps, at + 1, method, trail)) return true;
    trail.pop();
  }
  return node.open !== undefined && descendOpen(node.open, steps, at, method, trail);
}

/** `**` takes everything up to the custom verb. */
function descendOpen(
  open: PathNode,
  steps: readonly string[],
  at: number,
  method: PublishedMethod | undefined,
  trail: PathNode[],
): boolean {
  const hasVerb = steps.at(-1)?.startsWith(":") === true;
  const end = hasVerb ? steps.length - 1 : steps.length;
  if (end <= at) return false;
  trail.push(open);
  if (descend(open, steps, end, method, trail)) return true;
  trail.pop();
  return false;
}

/** How the table writes the version segment of a path. */
const VERSION_STEP = "{version}";

/** The version segment of a path: `v1`, `v1beta1`, `v4.1`, `alpha`. */
export const VERSION = /^(?:v\d+[a-z0-9]*(?:\.\d+)?|alpha|beta)$/;

const isFixed = (node: PathNode): boolean => {
  const { name } = node;
  return name !== "*" && name !== "**" && name !== VERSION_STEP && !name.startsWith(":");
};

function wordsOf(trail: readonly PathNode[]): string[] {
  const words: string[] = [];
  for (const node of trail) if (isFixed(node)) words.push(node.name);
  return words;
}
