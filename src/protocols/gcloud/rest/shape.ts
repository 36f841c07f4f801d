// Reads operations that no published table has, by the rules that Google's REST APIs follow
// (google.aip.dev 131 to 136): collection, name, collection, name, and a verb after a colon
// or, in the older APIs, as a last word. Guesses the operation, never the tier.

import { VERSION } from "../methods.ts";
import { verbKind } from "../verbs.ts";

/** An operation as the shape of its path tells it. */
export interface ShapedOperation {
  readonly words: readonly string[];
  readonly verb: string;
  readonly isWord: readonly boolean[];
}

/** Words that stand alone, without a name after them. */
const LONE: ReadonlySet<string> = new Set(["global", "aggregated"]);
const WORD = /^[a-z$@][A-Za-z0-9_.$-]*$/;

const STANDARD: Readonly<Record<string, readonly [collection: string, item: string]>> = {
  GET: ["list", "get"],
  HEAD: ["list", "get"],
  OPTIONS: ["list", "get"],
  POST: ["create", "create"],
  PUT: ["update", "update"],
  PATCH: ["patch", "patch"],
  DELETE: ["delete", "delete"],
};

/** The operation that a path of this shape would be. */
export function shapedOperation(
  segments: readonly string[],
  verb: string | undefined,
  method: string,
): ShapedOperation {
  const { words, isWord } = readWords(segments);
  const last = segments.at(-1) ?? "";
  const endsInWord = isWord.at(-1) === true;
  if (verb !== undefined) return { words, verb, isWord };
  if (method === "POST" || method === "GET") {
    const isAction = WORD.test(last) && isActionWord(last, endsInWord, method);
    if (isAction) return { words: endsInWord ? words.slice(0, -1) : words, verb: last, isWord };
  }
  // A POST to a single thing may create, change or delete it: only a word that looks like a verb leaves
  // no doubt that it is a change, or less.
  if (method === "POST" && !endsInWord && verbKind(last) === undefined)
    return { words, verb: "post", isWord };
  const standard = STANDARD[method];
  return { words, verb: standard?.[endsInWord ? 0 : 1] ?? method, isWord };
}

function readWords(segments: readonly string[]): { readonly words: string[]; readonly isWord: boolean[] } {
  const version = segments.slice(0, 3).findIndex((segment) => VERSION.test(segment));
  const words: string[] = [];
  const isWord: boolean[] = [];
  let expectsName = false;
  for (const [index, segment] of segments.entries()) {
    const isFixed: boolean = index > version && !expectsName && WORD.test(segment);
    isWord.push(isFixed);
    if (isFixed) words.push(segment);
    expectsName = isFixed && !LONE.has(segment);
  }
  return { words, isWord };
}

/**
 * Whether a last word is an action like `instances/{name}/start`. A plural is a collection whatever it begins with
 * (`queryTemplates`), except after verbs that take one (`listNodes`); where a name is expected only a plain verb counts.
 */
function isActionWord(word: string, isWordPlace: boolean, method: string): boolean {
  if (method === "POST" && (word === "testIamPermissions" || word === "getIamPolicy")) return true;
  const kind = verbKind(word);
  if (kind === undefined) return false;
  if (method === "GET")
    return (
      isWordPlace &&
      (kind === "write" || kind === "delete") &&
      !word.endsWith("s") &&
      word.toLowerCase() === word
    );
  if (!isWordPlace) return kind !== "read" && kind !== "evaluate" && kind !== "infer";
  return !word.endsWith("s") || /^(?:get|list|set|add|remove|update|delete|test)[A-Z]/.test(word);
}
