// Deterministic damage to valid messages: the octets on which HTTP parsers are known to part ways,
// put in, put over, taken out, doubled.

/** A small generator (mulberry32): the same numbers for the same seed, on every machine. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const PIECES = [
  ...'\r\n\0\t \x0b\x0c\x7f\x80\xa0\xff:;,="\\/?#%*0123456789abcdefxX+-_',
  "\r\n",
  "\r\n ",
  "\n\n",
  "\r\r\n",
  " :",
  "chunked",
  "Content-Length: 3\r\n",
  "content-length:3\r\n",
  "Transfer-Encoding: chunked\r\n",
  "transfer-encoding:gzip, chunked\r\n",
  "Transfer-Encoding: identity\r\n",
  "Connection: close\r\n",
  "Connection: upgrade\r\nUpgrade: websocket\r\n",
  "Host: b\r\n",
  "Expect: 100-continue\r\n",
  "HTTP/1.1",
  "HTTP/1.0",
  "0\r\n\r\n",
];

/** The text after one to three random edits. */
export function mutate(text: string, random: (below: number) => number): string {
  let result = text;
  for (let edits = 1 + random(3); edits > 0; edits--) {
    const at = lineBiased(result, random);
    const piece = PIECES[random(PIECES.length)] as string;
    const length = 1 + random(3);
    switch (random(4)) {
      case 0:
        result = result.slice(0, at) + piece + result.slice(at);
        break;
      case 1:
        result = result.slice(0, at) + piece + result.slice(at + 1);
        break;
      case 2:
        result = result.slice(0, at) + result.slice(at + length);
        break;
      default:
        result = result.slice(0, at + length) + result.slice(at);
    }
  }
  return result;
}

/** Half of the time next to a line end, a colon or a space, where the grammar's edges are. */
function lineBiased(text: string, random: (below: number) => number): number {
  const at = random(text.length + 1);
  if (random(2) === 0) return at;
  const edge = "\r\n: ;"[random(5)] as string;
  const found = text.indexOf(edge, at);
  return found < 0 ? at : found + random(2);
}
