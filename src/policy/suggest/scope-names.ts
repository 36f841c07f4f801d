// The ladder from seen names to the name in a rule: the exact name, or one pattern for at least
// three names that differ in a generated suffix of the same form (a number of a pull request, a
// hash, a suffix by Kubernetes). A pattern has as many characters as the names had, and no star.
// Nothing else is ever generalised.

/** A name or pattern for a rule, and the seen names that it stands for. */
export interface NameToken {
  /** As it is written into the policy. */
  readonly text: string;
  readonly seen: readonly string[];
  readonly isPattern: boolean;
}

/** Distinct names that a pattern needs. */
export const MIN_DISTINCT = 3;

/** Forms of generated suffixes; the first that fits a name counts. */
const FORMS: readonly { readonly suffix: RegExp; readonly one: string }[] = [
  { suffix: /^(.*[-_.])([0-9]{3,})$/, one: "[0-9]" },
  { suffix: /^(.*[-_.])((?=.*[0-9])(?=.*[a-f])[0-9a-f]{6,40})$/, one: "[0-9a-f]" },
  // Kubernetes leaves out vowels and what looks alike, so that no words come out.
  { suffix: /^(.*-)((?=.*[2-9])[bcdfghjklmnpqrstvwxz2456789]{5})$/, one: "[bcdfghjklmnpqrstvwxz2456789]" },
];

/** Patterns first where names allow one, then the names that none covers, in their order. */
export function nameTokens(names: readonly string[]): readonly NameToken[] {
  const distinct = [...new Set(names)];
  const byPattern = new Map<string, string[]>();
  for (const name of distinct) {
    const pattern = patternOf(name);
    if (pattern !== undefined) byPattern.set(pattern, [...(byPattern.get(pattern) ?? []), name]);
  }
  const patterns = [...byPattern].filter(([, seen]) => seen.length >= MIN_DISTINCT);
  const covered = new Set(patterns.flatMap(([, seen]) => seen));
  return [
    ...patterns.map(([text, seen]): NameToken => ({ text, seen, isPattern: true })),
    ...distinct
      .filter((name) => !covered.has(name))
      .map((name): NameToken => ({ text: name, seen: [name], isPattern: false })),
  ];
}

/** The pattern for all names like this one; undefined where its end was not generated, or the rest needs escapes. */
function patternOf(name: string): string | undefined {
  for (const { suffix, one } of FORMS) {
    const [, stem, generated] = suffix.exec(name) ?? [];
    if (stem === undefined || generated === undefined || /[*?[\]{}\\!]/.test(stem)) continue;
    return stem + one.repeat(generated.length);
  }
  return undefined;
}
