// The indefinite article before the words of a policy: `an org`, `a repo`.

/** The word with its article. Of words in lower case that begin as they are spoken. */
export function withArticle(word: string): string {
  return `${/^[aeio]/.test(word) ? "an" : "a"} ${word}`;
}
