// "Did you mean" for words at a prompt, where words are often cut short on purpose.

import { nearestWord } from "../../policy/did-you-mean.ts";

/** The known word that was most likely meant: the only one that continues or is continued by the text, else the nearest. */
export function suggestWord(typed: string, known: readonly string[]): string | undefined {
  const text = typed.toLowerCase();
  if (text.length >= 2) {
    const kin = known.filter((word) => word.startsWith(text) || (word.length >= 3 && text.startsWith(word)));
    if (kin.length === 1) return kin[0];
  }
  return nearestWord(text, known);
}
