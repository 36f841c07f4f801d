// Reads the types of a kubectl block's commands as a person typed them: what no command can be,
// such as an option or the name of an object, and words that are nearly a type of Kubernetes' own.

import { subresourcesOf } from "../../protocols/kubectl/operations.ts";
import { isBuiltInSpelling, resourceType, typeSpellings } from "../../protocols/kubectl/resources.ts";
import { kubectlToolMeaning } from "../../protocols/kubectl/tool-meaning.ts";
import { KUBERNETES_VERBS } from "../decide/rule-table.ts";
import { isSlipOf, nearestWord } from "../did-you-mean.ts";

/** Words that can be no part of a command, with what to type; undefined for none. `words` are in lower case. */
export function malformedCommand(
  text: string,
  words: readonly string[],
): { readonly message: string; readonly hint: string } | undefined {
  const before = (at: number, ...rest: readonly string[]) => [...words.slice(0, at), ...rest].join(" ");
  const option = words.findIndex((word) => word.startsWith("-"));
  if (option >= 0) {
    const near = before(option);
    const isKnown = kubectlToolMeaning(words.slice(0, option)) !== undefined;
    return {
      message: `'${words[option]}' is an option, and options are no part of a command, so '${text}' never applies`,
      hint: isKnown
        ? `type 'kubectl ${near}', which is about it with any options`
        : "type the command without options",
    };
  }
  const comma = words.findIndex((word) => word.includes(",") && !word.includes("{"));
  if (comma >= 0) {
    const each = (words[comma] ?? "").split(",").filter((type) => type !== "");
    const list = each.map((type) => `'${words.map((word, at) => (at === comma ? type : word)).join(" ")}'`);
    return {
      message: `a command is about one type, so '${text}' never applies`,
      hint: `write one command for each: ${list.join(", ")}`,
    };
  }
  const slash = words.findIndex((word) => isNamedObject(word));
  if (slash < 0) return undefined;
  const [type = ""] = (words[slash] ?? "").split("/");
  return {
    message: `'${words[slash]}' is no subresource, and names of objects are no part of a command, so '${text}' never applies`,
    hint: `type '${words.map((word, at) => (at === slash ? type : word)).join(" ")}', which is about every one of them`,
  };
}

/** `deploy/api`: a type of Kubernetes' own with something below it that is nothing like a subresource. */
function isNamedObject(word: string): boolean {
  const [type = "", below = "", ...rest] = word.split("/");
  if (below === "" || /[*?{[]/.test(word) || !isBuiltInSpelling(type)) return false;
  const known = subresourcesOf(resourceType(type).resource);
  return rest.length > 0 || (!known.includes(below) && nearestWord(below, known) === undefined);
}

/** Whether the command is about something below a type of Kubernetes' own, all of which are listed. */
export function isOwnSubresource(words: readonly string[]): boolean {
  return words.some((word) => {
    const [type = "", below] = word.split("/");
    return below !== undefined && isBuiltInSpelling(type) && !/[*?{[]/.test(word);
  });
}

/** A custom resource is fine; one that is nearly a type of Kubernetes' own is most likely a slip. */
export function misspeltType(words: readonly string[]): string | undefined {
  const typed = words.join(" ");
  if (/[.?{[/]/.test(typed)) return undefined;
  const type = words.find((word) => !KUBERNETES_VERBS.has(word) && !word.includes("*")) ?? "";
  if (type === "" || isBuiltInSpelling(type)) return undefined;
  const near = nearType(type);
  return near === undefined ? undefined : words.map((word) => (word === type ? near : word)).join(" ");
}

function nearType(type: string): string | undefined {
  const spellings = typeSpellings();
  // The plural where it is as near: policies are mostly written in it.
  const [slip] = spellings.filter((known) => known[0] === type[0] && isSlipOf(type, known)).sort(byPlural);
  if (slip !== undefined) return slip;
  const near = nearestWord(type, spellings);
  // Custom resources often begin otherwise or end alike; a slip of the keyboard keeps the beginning.
  return near !== undefined && near.length > 3 && near.slice(0, 3) === type.slice(0, 3) ? near : undefined;
}

function byPlural(one: string, other: string): number {
  return Number(resourceType(other).resource === other) - Number(resourceType(one).resource === one);
}
