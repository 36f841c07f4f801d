// Compares names word by word, whatever their spelling: `s3 remove` is `s3 rm`, `iam:DeleteUsers`
// is `iam delete-user`, `deployment scale` is `scale deployment`. Words for the same deed are
// equal, so that a slip never leads to a milder deed: `destroy` is no `describe`.

import type { Tier } from "../../model/tier.ts";
import { isSlipOf } from "../did-you-mean.ts";

/** Words for one deed, with the tier that they mean at least. */
const DEEDS: readonly (readonly [tier: Tier, words: string])[] = [
  ["sensitive", "delete remove rm del destroy drop erase terminate kill uninstall unset"],
  ["modify", "create add new make insert mk"],
  ["modify", "update edit modify change"],
  ["modify", "stop halt shutdown poweroff"],
  ["modify", "start boot"],
  ["modify", "restart reboot bounce"],
  ["modify", "review approve"],
  ["modify", "patch"],
  ["modify", "replace put set"],
  ["modify", "scale resize"],
  ["modify", "apply deploy"],
  ["sensitive", "drain evict"],
  ["observe", "get describe read show view"],
  ["observe", "list ls"],
];

const DEED_OF: ReadonlyMap<string, number> = new Map(
  DEEDS.flatMap(([, words], index) => words.split(" ").map((word) => [word, index] as const)),
);

/** A word as it is compared. */
interface Word {
  readonly text: string;
  /** The deed that it is a word for; undefined for a thing. */
  readonly deed: number | undefined;
}

/** A name taken apart. */
interface NamedWords {
  readonly name: string;
  readonly style: string;
  readonly words: readonly Word[];
}

/** The words of a name; of several of one name, as many. */
function wordsOf(name: string): readonly Word[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "")
    .map((word) => ({ text: singular(word), deed: DEED_OF.get(word) }));
}

function singular(word: string): string {
  if (word.length < 4 || word.endsWith("ss")) return word;
  return word
    .replace(/ies$/, "y")
    .replace(/(?<=[sxz]|ch|sh)es$/, "")
    .replace(/s$/, "");
}

/** The tier that the deed of a name means at least; undefined where no word of it tells. */
export function meantTier(name: string): Tier | undefined {
  const deed = deedOf(name);
  return deed === undefined ? undefined : DEEDS[deed]?.[0];
}

/** Whether two names are about the same deed. */
export function isSameDeed(one: string, other: string): boolean {
  return deedOf(one) === deedOf(other);
}

function deedOf(name: string): number | undefined {
  return wordsOf(name).findLast(({ deed }) => deed !== undefined)?.deed;
}

/** Whether each word of one name is its like in the other; true where they have different numbers of words. */
export function isWordwiseNear(one: string, other: string): boolean {
  const [some, others] = [wordsOf(one), wordsOf(other)];
  if (some.length !== others.length) return some[0]?.text === others[0]?.text || some.length < 2;
  return some.every((word, at) => {
    const like = others[at];
    return (
      like !== undefined &&
      (priceOf(word, like) < MOST || (word.deed === undefined && isSlipOf(word.text, like.text)))
    );
  });
}

/** A list of names, taken apart once. */
export class NearNames {
  readonly #names: readonly NamedWords[];
  readonly #byThing = new Map<string, NamedWords[]>();

  constructor(names: readonly string[]) {
    // Thousands of names share some words: each is one object, whose price is asked for once.
    const known = new Map<string, Word>();
    const shared = (word: Word) => {
      const key = `${word.text} ${word.deed}`;
      const same = known.get(key) ?? word;
      known.set(key, same);
      return same;
    };
    this.#names = names.map((name) => ({ name, style: styleOf(name), words: wordsOf(name).map(shared) }));
    for (const named of this.#names)
      for (const { text, deed } of named.words) {
        if (deed !== undefined) continue;
        const same = this.#byThing.get(text);
        if (same === undefined) this.#byThing.set(text, [named]);
        else if (same.at(-1) !== named) same.push(named);
      }
  }

  /** The name whose words are those of the typed one, in any order; undefined for none. */
  nearest(typed: string): string | undefined {
    const words = wordsOf(typed);
    if (words.length === 0 || words.length > 12) return undefined;
    const style = styleOf(typed);
    const priced = words.map((word) => new PricedWord(word));
    let best: string | undefined;
    let [least, isGuess] = [MOST, false];
    for (const candidate of this.#candidates(words)) {
      if (candidate.words.length < words.length || candidate.words.length > words.length + 1) continue;
      const cost = costOf(priced, candidate.words) + (candidate.style === style ? 0 : 0.3);
      // With a word more several may be meant.
      if (cost === least && candidate.words.length > words.length) isGuess = true;
      if (cost < least) [best, least, isGuess] = [candidate.name, cost, false];
    }
    return isGuess ? undefined : best;
  }

  /** The names that have one of the typed things; all names where each is mistyped. */
  #candidates(words: readonly Word[]): readonly NamedWords[] {
    const lists = words.flatMap(({ text, deed }) =>
      deed === undefined ? (this.#byThing.get(text) ?? []) : [],
    );
    return lists.length === 0 ? this.#names : [...new Set(lists)];
  }
}

/** A name that costs as much is another one. */
const MOST = 5;

/** How far the words are from each other: every typed one must have its like, and one more may be there. */
function costOf(typed: readonly PricedWord[], known: readonly Word[]): number {
  /** A bit for each known word that has its like. */
  let taken = 0;
  let cost = 2.5 * (known.length - typed.length);
  let last = -1;
  for (const word of typed) {
    let [found, price] = [-1, MOST];
    for (let at = 0; at < known.length; at++) {
      const other = known[at];
      if (other === undefined || (taken & (1 << at)) !== 0) continue;
      const one = word.priceOf(other);
      if (one < price) [found, price] = [at, one];
    }
    if (found < 0) return MOST;
    taken |= 1 << found;
    cost += price + (found < last ? 0.5 : 0);
    last = found;
    if (cost >= MOST) return MOST;
  }
  return cost;
}

/** A typed word with its distances from the known ones. */
class PricedWord {
  readonly #word: Word;
  readonly #prices = new Map<Word, number>();

  constructor(word: Word) {
    this.#word = word;
  }

  priceOf(known: Word): number {
    const ready = this.#prices.get(known);
    if (ready !== undefined) return ready;
    const price = priceOf(this.#word, known);
    this.#prices.set(known, price);
    return price;
  }
}

function priceOf(typed: Word, known: Word): number {
  if (typed.text === known.text) return 0;
  if (typed.deed !== undefined && typed.deed === known.deed) return 0.8;
  if (typed.deed !== undefined || typed.text.length < 3 || known.text.length < 3) return MOST;
  if (Math.abs(typed.text.length - known.text.length) > 2) return MOST;
  return isSlipOf(typed.text, known.text) && (typed.text.length > 3 || known.text.length > 3) ? 1.5 : MOST;
}

/** `iam:` and `iam ` are two spellings of one name: the hint is in the one that was typed. */
function styleOf(name: string): string {
  return /[:./ ]/.exec(name)?.[0] ?? "";
}
