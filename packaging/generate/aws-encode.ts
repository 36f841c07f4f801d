// Byte-pair encoding of text in printable ASCII: the most frequent neighbouring pair becomes a new symbol, again
// and again. Symbols below `SINGLES` are one character, the rest two. src/protocols/aws/catalogue.ts decodes.

const FIRST = 33;
const LAST = 126;
/** Characters that may stand for symbols: printable ASCII without the space. */
const ALPHABET = Array.from({ length: LAST - FIRST + 1 }, (_, i) => String.fromCharCode(FIRST + i)).join("");

/** How many characters stand for a symbol alone; the others begin a symbol of two. */
export const SINGLES = 46;

/** The dictionary and the texts, encoded. */
export interface Encoded {
  /** Raw characters that symbols 0… stand for. */
  readonly characters: string;
  /** Pairs of symbols, each pair one new symbol, in order. */
  readonly pairs: string;
  readonly texts: readonly string[];
}

/** Encodes several texts with one dictionary. */
export function encodeTexts(texts: readonly string[]): Encoded {
  const capacity = SINGLES + (ALPHABET.length - SINGLES) * ALPHABET.length;
  const characters = [...new Set(texts.join(""))].sort().join("");
  let sequences = texts.map((text) => Int32Array.from(text, (c) => characters.indexOf(c)));
  const pairs: [number, number][] = [];
  while (characters.length + pairs.length < capacity) {
    const pair = mostFrequentPair(sequences);
    if (pair === undefined) break;
    const symbol = characters.length + pairs.length;
    pairs.push(pair);
    sequences = sequences.map((sequence) => replacePair(sequence, pair, symbol));
  }
  return spell(characters, pairs, sequences);
}

function mostFrequentPair(sequences: readonly Int32Array[]): [number, number] | undefined {
  const counts = new Map<number, number>();
  for (const sequence of sequences)
    for (let i = 0; i + 1 < sequence.length; i++) {
      const key = (sequence[i] ?? 0) * 65536 + (sequence[i + 1] ?? 0);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  let best = 3;
  let found: number | undefined;
  for (const [key, count] of counts)
    if (count > best) {
      best = count;
      found = key;
    }
  return found === undefined ? undefined : [Math.floor(found / 65536), found % 65536];
}

function replacePair(sequence: Int32Array, [a, b]: readonly [number, number], symbol: number): Int32Array {
  let out = 0;
  for (let i = 0; i < sequence.length; i++) {
    if (sequence[i] === a && sequence[i + 1] === b) {
      sequence[out++] = symbol;
      i++;
    } else sequence[out++] = sequence[i] ?? 0;
  }
  return sequence.subarray(0, out);
}

// The most used symbols get the one-character codes; the dictionary is written in that order of use.
function spell(characters: string, pairs: readonly [number, number][], sequences: readonly Int32Array[]): Encoded {
  const total = characters.length + pairs.length;
  const uses = new Float64Array(total);
  for (const sequence of sequences) for (const symbol of sequence) uses[symbol] = (uses[symbol] ?? 0) + 1;
  for (const [a, b] of pairs) {
    uses[a] = (uses[a] ?? 0) + 1;
    uses[b] = (uses[b] ?? 0) + 1;
  }
  const order = Array.from({ length: total }, (_, i) => i).sort((a, b) => (uses[b] ?? 0) - (uses[a] ?? 0));
  const singles = new Map(order.slice(0, SINGLES).map((symbol, rank) => [symbol, ALPHABET[rank] ?? ""]));
  let next = 0;
  const codes = Array.from({ length: total }, (_, symbol) => singles.get(symbol) ?? double(next++));
  const write = (sequence: Iterable<number>) => Array.from(sequence, (symbol) => codes[symbol] ?? "").join("");
  return {
    characters: Array.from(characters, (c, i) => `${codes[i]}${c}`).join(""),
    pairs: pairs.map(([a, b], i) => `${codes[characters.length + i]}${codes[a]}${codes[b]}`).join(""),
    texts: sequences.map(write),
  };
}

function double(rank: number): string {
  return (ALPHABET[SINGLES + Math.floor(rank / ALPHABET.length)] ?? "") + (ALPHABET[rank % ALPHABET.length] ?? "");
}
