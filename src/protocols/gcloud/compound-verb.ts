// Verbs that name two actions: `getOrCreate`, `CheckAndMutateRow`, `ReadModifyWriteRow`. The first
// word alone would call them reads. Splits the words; what each half does is verbs.ts's.

/** The words of a verb, lower case: `CheckAndMutateRow` to check, and, mutate, row. */
export function wordsOfVerb(verb: string): readonly string[] {
  return (verb.match(/[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])/g) ?? []).map((word) => word.toLowerCase());
}

/** One half of a compound: the words before or after the `And`; `isBare` when it is one word, and so surely a verb. */
export interface VerbHalf {
  readonly verb: string;
  readonly isBare: boolean;
}

/** The halves of a verb joined by And, Or, Then; undefined for a verb without any. */
export function halvesOfVerb(verb: string): readonly VerbHalf[] | undefined {
  const parts = verb.split(/(?<=[a-z0-9])(?:And|Or|Then)(?=[A-Z])/);
  if (parts.length < 2) return undefined;
  return parts.map((part) => ({
    verb: part.charAt(0).toLowerCase() + part.slice(1),
    isBare: wordsOfVerb(part).length === 1,
  }));
}

/** Words that are verbs and hardly ever part of the name of a thing; of nouns alike (`build`, `update`) none. */
const SURE_VERBS: ReadonlySet<string> = new Set(
  `create mutate modify delete remove insert upsert purge overwrite increment decrement destroy truncate erase wipe
  replace revoke append persist`.split(/\s+/),
);

/** The first later word that surely writes, of a verb whose first word reads; undefined for none. */
export function laterWrite(verb: string): string | undefined {
  const [first, second, ...others] = wordsOfVerb(verb);
  if (first === "read" && second === "write") return second;
  return [second, ...others].find((word) => word !== undefined && SURE_VERBS.has(word));
}
