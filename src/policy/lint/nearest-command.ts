// Finds the known spelling nearest to a command that nothing is called: of the API or of the tool,
// word by word where a word is misspelt, and without what does not belong to a command.

import type { Protocol } from "../../model/protocol.ts";
import { isTier, TIERS } from "../../model/tier.ts";
import { isBuiltInSpelling, resourceType } from "../../protocols/kubectl/resources.ts";
import { kubectlToolMeaning } from "../../protocols/kubectl/tool-meaning.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { isMethodName } from "../../protocols/vocabulary.ts";
import { compileCommand, KUBERNETES_VERBS } from "../decide/rule-table.ts";
import { isSlipOf, nearestWord } from "../did-you-mean.ts";
import { commandLineOf } from "./command-line.ts";
import { nameListsOf } from "./name-list.ts";
import { isSameDeed, isWordwiseNear, meantTier, NearNames } from "./near-words.ts";

/** A spelling; one of a tool may have the program before it. */
export interface NearCommand {
  readonly text: string;
  readonly isOfTool: boolean;
}

/**
 * The nearest spelling; undefined where none is near. `typed` is without a program. Never one that is milder than the deed
 * that was typed: a deny of it would let through what was meant.
 */
export function nearestCommand(protocol: Protocol, typed: readonly string[]): NearCommand | undefined {
  const words = typed.map((word) => word.toLowerCase());
  const text = typed.join(" ");
  const isFit = (near: NearCommand | undefined) =>
    near === undefined || near.text.toLowerCase() === words.join(" ") || isMilder(protocol, text, near.text)
      ? undefined
      : near;
  const first =
    isFit(protocol === "kubectl" ? nearestOfKubernetes(words) : undefined) ??
    isFit(nearestPattern(protocol, words)) ??
    isFit(nearestByWords(protocol, text));
  if (first !== undefined) return first;
  // Slower: every name is compared letter by letter.
  const whole = isFit(nearestWhole(protocol, text));
  const isAsLong = whole?.text.split(" ").length === words.length;
  return (isAsLong ? whole : undefined) ?? isFit(withoutRest(protocol, words)) ?? whole;
}

const namesOf = new Map<Protocol, NearNames>();

/** The spelling with the same words, in whatever order and by whatever word for the deed. */
export function nearestByWords(protocol: Protocol, text: string): NearCommand | undefined {
  if (/[*?{[]/.test(text) || isMethodName(text)) return undefined;
  const { requests, commandLines } = nameListsOf(protocol);
  let names = namesOf.get(protocol);
  if (names === undefined) {
    names = new NearNames(
      [...new Set([...commandLines.list, ...requests.list])].filter((name) => !isMethodName(name)),
    );
    namesOf.set(protocol, names);
  }
  return spelledNear(protocol, names.nearest(text));
}

function spelledNear(protocol: Protocol, text: string | undefined): NearCommand | undefined {
  if (text === undefined) return undefined;
  return { text, isOfTool: isOfTool(protocol, text.toLowerCase()) };
}

/** Whether the tool has this command; some are what requests are called, too. */
function isOfTool(protocol: Protocol, text: string): boolean {
  const { requests, commandLines } = nameListsOf(protocol);
  return !requests.has(text) || commandLines.has(text);
}

/** Whether a rule about `near` would be about less than the deed in `typed`. */
function isMilder(protocol: Protocol, typed: string, near: string): boolean {
  const meant = meantTier(typed);
  if (meant === undefined || isSameDeed(typed, near) || /[*?{[]/.test(near)) return false;
  const compiled = compileCommand(protocol, near);
  const globs = "globs" in compiled ? compiled.globs : [];
  const line = commandLineOf(protocol, near.toLowerCase())?.classification.tier;
  const tiers = globs.flatMap(({ fixed }) => nameListsOf(protocol).requestOf(fixed)?.operation.tier ?? []);
  const all = line === undefined ? tiers : [...tiers, line];
  return all.length > 0 && all.every((tier) => isTier(tier) && TIERS.indexOf(tier) < TIERS.indexOf(meant));
}

/** The command without options, names of things and whatever else stands behind it. */
function withoutRest(protocol: Protocol, words: readonly string[]): NearCommand | undefined {
  const option = words.findIndex((word) => word.startsWith("-"));
  const longest = option < 0 ? words.length - 1 : option;
  for (let length = longest; length > 0; length--) {
    const text = words.slice(0, length).join(" ");
    if (isKnown(protocol, text)) return { text, isOfTool: isOfTool(protocol, text) };
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
  // `rollout restart` is no type with a verb.
  const names = nameListsOf("kubectl").requests.list.filter((name) => {
    const [, verb, ...rest] = name.split(" ");
    return verb !== undefined && rest.length === 0 && !kubectlToolMeaning(name.split(" "));
  });
  const types = [...new Set(names.map((name) => name.split(" ")[0] ?? ""))];
  const known = (text: string): NearCommand => ({ text, isOfTool: true });
  const [first = "", second = ""] = words;
  if (words.length === 1) {
    if (KUBERNETES_VERBS.has(first)) return known(`* ${first}`);
    const type = typeOf(first, types);
    if (type === undefined || !first.includes("/"))
      return type === undefined ? undefined : known(`${type} *`);
    if (isKnown("kubectl", type)) return known(type);
    const [only, other] = names.filter((name) => name.startsWith(`${resourceOf(type)} `));
    return known(only !== undefined && other === undefined ? only : `${type} *`);
  }
  if (words.length === 3) {
    // `set imge deploy`: a type behind a command that is misspelt.
    const last = words[2] ?? "";
    const type = isBuiltInSpelling(last) ? last : typeOf(last, types);
    const near = nearestWord(`${first} ${second}`, classifierFor("kubectl").vocabulary?.toolCommands() ?? []);
    const isOne = near !== undefined && type !== undefined && near.includes(" ");
    return isOne && kubectlToolMeaning([...near.split(" "), type]) !== undefined
      ? known(`${near} ${type}`)
      : undefined;
  }
  if (words.length !== 2) return undefined;
  for (const [one, other] of [
    [first, second],
    [second, first],
  ] as const) {
    if (typeOf(one, types) === undefined) continue;
    // Ways into pods are called so alone.
    if (INTO_PODS.has(other)) return known(other);
    const said = other === "restart" ? "rollout restart" : other;
    if (kubectlToolMeaning([...said.split(" "), one]) !== undefined && !KUBERNETES_VERBS.has(said))
      return known(`${said} ${one}`);
  }
  const verbs = [...KUBERNETES_VERBS];
  const [verbFirst, verbLast] = [verbOf(first, verbs), verbOf(second, verbs)];
  if (verbFirst !== undefined && !KUBERNETES_VERBS.has(second)) {
    const type = typeOf(second, types);
    if (type !== undefined) return known(`${verbFirst} ${type}`);
  }
  const type = verbLast === undefined ? undefined : typeOf(first, types);
  return type === undefined ? undefined : known(`${type} ${verbLast}`);
}

/** Commands of requests that open a way into a pod. */
const INTO_PODS: ReadonlySet<string> = new Set(["exec", "attach", "port-forward", "cp", "debug", "proxy"]);

function resourceOf(type: string): string {
  const [base = "", ...below] = type.split("/");
  return [resourceType(base).resource, ...below].join("/");
}

/** The verb of Kubernetes that a word means: itself, mistyped, or another word for it. */
function verbOf(word: string, verbs: readonly string[]): string | undefined {
  if (verbs.includes(word)) return word;
  return (
    verbs.find((verb) => isSameDeed(word, verb) && meantTier(word) !== undefined) ??
    verbs.find((verb) => isSlipOf(word, verb))
  );
}

/** A type as it is typed, in the plural or not, with the subresource that it has. */
function typeOf(word: string, types: readonly string[]): string | undefined {
  const [base = "", below] = word.split("/");
  const plain = types.filter((type) => !type.includes("/"));
  const isType =
    isBuiltInSpelling(base) ||
    plain.some((type) => type === base || type === `${base}s` || type === `${base}es`);
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

function nearestWhole(protocol: Protocol, typed: string): NearCommand | undefined {
  const { requests, commandLines } = nameListsOf(protocol);
  const text = nearestWord(typed, [...commandLines.list, ...requests.list]);
  // Of as many words each is the other one mistyped: `PassRole` is no `TagRole`.
  return text === undefined || !isWordwiseNear(typed, text) ? undefined : spelledNear(protocol, text);
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
