// The words that commands of a `kubectl` block may use beside the operations of Kubernetes' own
// types: types in any of kubectl's spellings with the verb on either side, and custom resources,
// whose names are the cluster's.

import { compileGlob, type Glob, globOfPart } from "../../match/glob.ts";
import type { TierOrUnknown } from "../../model/tier.ts";
import type { NameShape } from "../known-operation.ts";
import type { Namesakes, Vocabulary } from "../vocabulary.ts";
import { kubectlOthers } from "./operations.ts";
import { isBuiltInSpelling, resourceType } from "./resources.ts";
import { tierOfOperation } from "./tier.ts";
import { kubectlCommandsLike, kubectlToolCommands, kubectlToolMeaning, typesNamed } from "./tool-meaning.ts";

const VERBS: ReadonlySet<string> = new Set(
  "get list watch create update patch delete deletecollection connect approve sign bind escalate impersonate proxy use".split(
    " ",
  ),
);

const ADDED = "types that your cluster adds";
const frame = (after: string) => ({ before: "", after });

/** A type with a verb, and a way into whatever such a type runs. */
const OPEN: readonly NameShape[] = [
  ...["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"].map((verb) => ({
    noun: ADDED,
    spellings: [frame(` ${verb}`)],
  })),
  { noun: ADDED, spellings: [frame("/proxy options")] },
  ...[
    ["exec", "exec"],
    ["attach", "attach"],
    ["portforward", "port-forward"],
  ].map(([subresource = "", short = ""]) => ({
    noun: ADDED,
    spellings: [frame(`/${subresource} create`), frame(`/${subresource} get`)],
    fixed: [short],
  })),
];

/** Subresources that open a way into a pod; without a verb they mean every one. */
const CONNECTING = /^(?:pods?|po)\/(exec|attach|portforward|port-forward)$/;

/** kubectl's own commands and spellings of types. */
export const kubectlVocabulary: Vocabulary = {
  meaningOf,
  onlyRestricting,
  namesakesOf,
  isCarried,
  openNames: OPEN,
  others: kubectlOthers,
  mildestTier,
  toolCommands: kubectlToolCommands,
  toolCommandsLike: (command) => kubectlCommandsLike(command.toLowerCase().split(/\s+/)),
};

function meaningOf(command: string): readonly string[] {
  const words = command.toLowerCase().split(/\s+/);
  const connecting = CONNECTING.exec(command.toLowerCase())?.[1];
  if (connecting !== undefined) return [connecting === "portforward" ? "port-forward" : connecting];
  // kubectl's own order, `get pods`, is all that kubectl sends; the API's, `pods get`, is that one verb.
  const known = kubectlToolMeaning(words);
  if (known !== undefined) return known.names;
  const [first = "", second = ""] = words;
  if (words.length !== 2) return [];
  if (VERBS.has(second) || second === "*") return named(first, second);
  return VERBS.has(first) ? named(second, first) : [];
}

function named(type: string, verb: string): readonly string[] {
  const [word = ""] = type.split("/");
  if (!/^[a-z0-9][a-z0-9./*-]*$/.test(type) || word.includes("*")) return [];
  return typesNamed(type).map((each) => `${each} ${verb}`);
}

function onlyRestricting(command: string): readonly string[] {
  return kubectlToolMeaning(command.toLowerCase().split(/\s+/))?.onlyRestricting ?? [];
}

/** A custom resource has the tier of its verb, whatever it is called; a body only raises it. */
function mildestTier(command: string): TierOrUnknown | undefined {
  const [type, verb] = typeAndVerb(command.trim().replace(/^kubectl\s+/i, "")) ?? [];
  if (type === undefined || verb === undefined || /[^a-z0-9./-]/.test(type)) return undefined;
  const [word = "", subresource] = type.split("/");
  const { resource, group } = resourceType(word);
  return tierOfOperation({ verb, group: group === "" ? "custom" : group, resource, subresource }).tier;
}

/** A type that Kubernetes does not have itself with a verb that it has, and the server's own paths. */
function isCarried(command: string): boolean {
  const [type = ""] = typeAndVerb(command) ?? [];
  return type !== "" || command.toLowerCase() === "cp";
}

function typeAndVerb(command: string): readonly [type: string, verb: string] | undefined {
  const words = command.toLowerCase().split(/\s+/);
  const [first = "", second = ""] = words;
  if (words.length !== 2) return undefined;
  if (VERBS.has(second)) return [first, second];
  return VERBS.has(first) ? [second, first] : undefined;
}

/**
 * The requests of types that a cluster adds and that have the name of this command's type. `widgets get` is about every
 * group's; of Kubernetes' own types, and of patterns, only rules that restrict mean them, too. A command line may
 * leave out the group.
 */
function namesakesOf(name: string): Namesakes | undefined {
  const [type = "", verb, ...rest] = name.split(" ");
  if (verb === undefined || rest.length > 0 || !(VERBS.has(verb) || /[*?{[]/.test(verb))) return undefined;
  const [base = "", ...below] = type.split("/");
  const after = `${["", ...below].join("/")} ${verb}`;
  if (base === "" || base.endsWith("*")) return undefined;
  const isPattern = /[*?{[]/.test(base);
  const isOnlyRestricting = isPattern || isBuiltInSpelling(base);
  if (base.includes(".") && !base.includes("{")) {
    const [bare = ""] = base.split(".");
    return isPattern || bare === "" || isBuiltInSpelling(bare)
      ? undefined
      : { globs: globsOf(bare + after), isOnlyRestricting: true };
  }
  // A subresource of such a type is no part of it.
  const globs = isPattern
    ? globsOf(`${base}.*${after}`)
    : globsOf(after).map((glob) => globOfPart(`${base}.`, glob));
  return { globs, isOnlyRestricting };
}

function globsOf(text: string): readonly Glob[] {
  const compiled = compileGlob(text.toLowerCase());
  return "problem" in compiled ? [] : compiled.globs;
}
