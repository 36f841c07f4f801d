// The words that commands of a `kubectl` block may use beside the operations of Kubernetes' own
// types: types in any of kubectl's spellings with the verb on either side, and custom resources,
// whose names are the cluster's.

import type { TierOrUnknown } from "../../model/tier.ts";
import type { NameShape } from "../known-operation.ts";
import { toolWords, type Vocabulary } from "../vocabulary.ts";
import { kubectlOthers } from "./operations.ts";
import { builtInTypes, resourceType } from "./resources.ts";
import { tierOfOperation } from "./tier.ts";
import table from "./tool-commands.tsv" with { type: "text" };

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

const tool = toolWords(table);

/** kubectl's own commands and spellings of types. */
export const kubectlVocabulary: Vocabulary = {
  meaningOf,
  isCarried,
  openNames: OPEN,
  others: kubectlOthers,
  mildestTier,
  toolCommands: tool.toolCommands,
};

function meaningOf(command: string): readonly string[] {
  const known = tool.meaningOf(command);
  if (known.length > 0) return known;
  const connecting = CONNECTING.exec(command.toLowerCase())?.[1];
  if (connecting !== undefined) return [connecting === "portforward" ? "port-forward" : connecting];
  const [type, verb] = typeAndVerb(command) ?? [];
  if (type === undefined || verb === undefined || /[^a-z0-9./-]/.test(type)) return [];
  const [word = "", ...subresource] = type.split("/");
  if (isForeign(word)) return [];
  return [`${[resourceType(word).resource, ...subresource].join("/")} ${verb}`];
}

/** A custom resource has the tier of its verb, whatever it is called; a body only raises it. */
function mildestTier(command: string): TierOrUnknown | undefined {
  const [type, verb] = typeAndVerb(command.trim().replace(/^kubectl\s+/i, "")) ?? [];
  if (type === undefined || verb === undefined || /[^a-z0-9./-]/.test(type)) return undefined;
  const [word = "", subresource] = type.split("/");
  const { resource, group } = resourceType(word);
  return tierOfOperation({ verb, group: group === "" ? "custom" : group, resource, subresource }).tier;
}

/** `secrets.example.com`: another group's type with a name of Kubernetes' own. Requests are named without the group. */
function isForeign(word: string): boolean {
  const { resource, group } = resourceType(word);
  const own = builtInTypes().filter((type) => type.resource === resource);
  return word.includes(".") && own.length > 0 && !own.some((type) => type.group === group);
}

/** A type that Kubernetes does not have itself with a verb that it has, and the server's own paths. */
function isCarried(command: string): boolean {
  const [type = ""] = typeAndVerb(command) ?? [];
  return (type !== "" && !isForeign(type.split("/")[0] ?? "")) || command.toLowerCase() === "cp";
}

function typeAndVerb(command: string): readonly [type: string, verb: string] | undefined {
  const words = command.toLowerCase().split(/\s+/);
  const [first = "", second = ""] = words;
  if (words.length !== 2) return undefined;
  if (VERBS.has(second)) return [first, second];
  return VERBS.has(first) ? [second, first] : undefined;
}
