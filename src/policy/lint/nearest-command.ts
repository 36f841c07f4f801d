// Finds the known spelling nearest to a command that nothing is called: of the API or of the tool,
// word by word where a word is misspelt, and without what does not belong to a command.

import type { Protocol } from "../../model/protocol.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { compileCommand, KUBERNETES_VERBS } from "../decide/rule-table.ts";
import { isSlipOf, nearestWord } from "../did-you-mean.ts";
import { commandLineOf } from "./command-line.ts";
import { nameListsOf } from "./name-list.ts";

/** A spelling; one of a tool may have the program before it. */
export interface NearCommand {
  readonly text: string;
  readonly isOfTool: boolean;
}

/** The nearest spelling; undefined where none is near. `words` are in lower case, without a program. */
export function nearestCommand(protocol: Protocol, words: readonly string[]): NearCommand | undefined {
  const whole = nearestWhole(protocol, words);
  const isAsLong = whole?.text.split(" ").length === words.length;
  return (
    (protocol === "kubectl" ? nearestOfKubernetes(words) : undefined) ??
    nearestPattern(protocol, words) ??
    (isAsLong ? whole : undefined) ??
    withoutRest(protocol, words) ??
    whole
  );
}

/** The command without options, names of things and whatever else stands behind it. */
function withoutRest(protocol: Protocol, words: readonly string[]): NearCommand | undefined {
  const option = words.findIndex((word) => word.startsWith("-"));
  const longest = option < 0 ? words.length - 1 : option;
  for (let length = longest; length > 0; length--) {
    const text = words.slice(0, length).join(" ");
    if (isKnown(protocol, text)) return { text, isOfTool: !nameListsOf(protocol).requests.has(text) };
  }
  return undefined;
}

function isKnown(protocol: Protocol, text: string): boolean {
  if (/[*?{[]/.test(text)) return false;
  const { requests } = nameListsOf(protocol);
  const compiled = compileCommand(protocol, text);
  const globs = "globs" in compiled ? compiled.globs : [];
  if (globs.some(({ fixed }) => requests.has(fixed))) return true;
  const line = commandLineOf(protocol, text);
  return line !== undefined && line.classification.reason !== "prints help";
}

/** A type and a verb in either order, a type without its verb, a verb without its type. */
function nearestOfKubernetes(words: readonly string[]): NearCommand | undefined {
  const names = nameListsOf("kubectl").requests.list.filter((name) => name.includes(" "));
  const types = [...new Set(names.map((name) => name.split(" ")[0] ?? ""))];
  const known = (text: string): NearCommand => ({ text, isOfTool: true });
  const [first = "", second = ""] = words;
  if (words.length === 1) {
    if (KUBERNETES_VERBS.has(first)) return known(`* ${first}`);
    const type = typeOf(first, types);
    if (first.includes("/") && type !== undefined) return known(type);
    return type === undefined ? undefined : known(`${type} *`);
  }
  if (words.length !== 2) return undefined;
  const verbs = [...KUBERNETES_VERBS];
  const [verbFirst, verbLast] = [nearestWord(first, verbs), nearestWord(second, verbs)];
  if (verbFirst !== undefined && !KUBERNETES_VERBS.has(second)) {
    const type = typeOf(second, types);
    if (type !== undefined) return known(`${verbFirst} ${type}`);
  }
  const type = verbLast === undefined ? undefined : typeOf(first, types);
  return type === undefined ? undefined : known(`${type} ${verbLast}`);
}

/** A type as it is typed, in the plural or not, with the subresource that it has. */
function typeOf(word: string, types: readonly string[]): string | undefined {
  const [base = "", below] = word.split("/");
  const plain = types.filter((type) => !type.includes("/"));
  const isType = plain.some((type) => type === base || type === `${base}s` || type === `${base}es`);
  const near = isType ? base : nearestWord(base, [...plain, ...plain.map((type) => type.replace(/s$/, ""))]);
  if (below === undefined || near === undefined) return near;
  const belows = [...new Set(types.flatMap((type) => type.split("/")[1] ?? []))];
  const sub = nearestWord(below, belows);
  return sub === undefined ? undefined : `${near}/${sub}`;
}

/** A pattern whose literal beginning is misspelt: `ec3 *`. */
function nearestPattern(protocol: Protocol, words: readonly string[]): NearCommand | undefined {
  const text = words.join(" ");
  const [head = ""] = /^[^\s.:/*?{[]+/.exec(text) ?? [];
  if (head === "" || !/[*?{[]/.test(text)) return undefined;
  const { requests, commandLines } = nameListsOf(protocol);
  const headsOf = (names: readonly string[]) => [
    ...new Set(names.map((name) => /^[^\s.:/]+/.exec(name)?.[0] ?? "")),
  ];
  const heads = headsOf(requests.list);
  const near = nearestWord(head, [...heads, ...headsOf(commandLines.list)]);
  return near === undefined || near.toLowerCase() === head
    ? undefined
    : { text: near + text.slice(head.length), isOfTool: !heads.includes(near) };
}

function nearestWhole(protocol: Protocol, words: readonly string[]): NearCommand | undefined {
  const { requests, commandLines } = nameListsOf(protocol);
  const text = nearestWord(words.join(" "), [...commandLines.list, ...requests.list]);
  return text === undefined ? undefined : { text, isOfTool: !requests.has(text.toLowerCase()) };
}

/**
 * A spelling that differs in one word only, and there by a slip; undefined where every word is one that the tool has. For
 * tools whose commands nobody lists, whose words are read one by one.
 */
export function nearestGroupWord(protocol: Protocol, words: readonly string[]): NearCommand | undefined {
  if (protocol !== "gcloud" || words.length < 2) return undefined;
  const plain = words.map(withoutDashes);
  let near: NearCommand | undefined;
  for (const command of spelledCommands().get(words.length) ?? []) {
    const at = onlyDifference(plain, command.plain);
    // gcloud writes `ai-platform` what the API calls aiplatform.
    if (at === "none") return undefined;
    // The last word is the verb, of which the tool has more than the API.
    if (near !== undefined || at === "several" || at === words.length - 1) continue;
    if (isSlip(plain[at] ?? "", command.plain[at] ?? ""))
      near = { text: command.words.join(" "), isOfTool: true };
  }
  return near;
}

function onlyDifference(one: readonly string[], other: readonly string[]): number | "none" | "several" {
  let found = -1;
  for (let at = 0; at < one.length; at++) {
    if (one[at] === other[at]) continue;
    if (found >= 0) return "several";
    found = at;
  }
  return found < 0 ? "none" : found;
}

interface Spelled {
  readonly words: readonly string[];
  readonly plain: readonly string[];
}

let spelled: ReadonlyMap<number, readonly Spelled[]> | undefined;

/** gcloud's commands by the number of their words; some 17,000, so they are taken apart once. */
function spelledCommands(): ReadonlyMap<number, readonly Spelled[]> {
  if (spelled !== undefined) return spelled;
  const byLength = new Map<number, Spelled[]>();
  for (const command of classifierFor("gcloud").vocabulary?.toolCommands() ?? []) {
    const words = command.split(" ");
    const same = byLength.get(words.length) ?? [];
    byLength.set(words.length, same);
    same.push({ words, plain: words.map(withoutDashes) });
  }
  spelled = byLength;
  return spelled;
}

function withoutDashes(word: string): string {
  return word.replaceAll("-", "");
}

/** Words that gcloud has in the singular and the API in the plural. */
const SINGULAR: ReadonlySet<string> = new Set(["agent", "datascan", "pipeline"]);

/** Short words are too near to each other: `vm` is no slip for `vms`. */
function isSlip(typed: string, meant: string): boolean {
  return typed.length > 4 && !SINGULAR.has(typed) && isSlipOf(typed, meant);
}
