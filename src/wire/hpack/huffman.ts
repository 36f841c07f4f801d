// The Huffman code of HPACK (RFC 7541 Appendix B), both ways. The code is canonical: symbols sorted
// by (length, value) get consecutive codes, so the lengths say it all and nothing else is written
// down here. Knows nothing of fields; the decoder works in nibbles, since no code is under five
// bits.

/** Bits of each symbol's code, in base 36; the last is EOS, which may never be sent whole. */
const LENGTHS =
  "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f565" +
  "65666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmp" +
  "qqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu";

const EOS = 256;
const SYMBOLS = 257;

/** Layout of a step, one nibble in one state: the next state in the low octet, and these flags. */
const EMITS = 1 << 16;
const FAILS = 1 << 17;
const STATE = 0xff;

/** A state in which the input may end: at most seven bits, all ones, since the last symbol (RFC 7541 5.2). */
const canEnd = new Uint8Array(256);
const codeLengths = new Uint8Array(SYMBOLS);
const codes = new Uint32Array(SYMBOLS);
const steps = new Int32Array(256 * 16);

build();

function build(): void {
  for (let symbol = 0; symbol < SYMBOLS; symbol++)
    codeLengths[symbol] = Number.parseInt(LENGTHS.charAt(symbol), 36);
  let code = 0;
  // The tree's inner nodes are the states; a child is a node's number, or ~symbol.
  const children: number[] = [0, 0];
  for (let length = 1; length <= 30; length++, code *= 2) {
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      if (codeLengths[symbol] !== length) continue;
      codes[symbol] = code;
      addLeaf(children, symbol, code++, length);
    }
  }
  for (let state = 0, depth = 0; depth < 8; depth++) {
    canEnd[state] = 1;
    state = children[state * 2 + 1] as number;
  }
  for (let state = 0; state < 256; state++)
    for (let nibble = 0; nibble < 16; nibble++) steps[state * 16 + nibble] = stepOf(children, state, nibble);
}

function addLeaf(children: number[], symbol: number, code: number, length: number): void {
  let node = 0;
  for (let bit = length - 1; bit > 0; bit--) {
    const at = node * 2 + ((code >>> bit) & 1);
    if (children[at] === 0) {
      children[at] = children.length / 2;
      children.push(0, 0);
    }
    node = children[at] as number;
  }
  children[node * 2 + (code & 1)] = ~symbol;
}

function stepOf(children: readonly number[], state: number, nibble: number): number {
  let node = state;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const child = children[node * 2 + ((nibble >>> bit) & 1)] as number;
    if (child === ~EOS) return FAILS;
    if (child < 0) emitted = EMITS | (~child << 8);
    node = child < 0 ? 0 : child;
  }
  return emitted | node;
}

/**
 * Decodes `bytes[start, end)` into `out` from its start, and gives the number of octets written; -1
 * when it holds EOS or is padded with anything but fewer than eight ones. `out` needs room for
 * eight octets per five of input.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  let state = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const octet = bytes[at] as number;
    const first = steps[(state << 4) | (octet >> 4)] as number;
    if ((first & EMITS) !== 0) out[length++] = first >> 8;
    const second = steps[((first & STATE) << 4) | (octet & 15)] as number;
    if ((second & EMITS) !== 0) out[length++] = second >> 8;
    if (((first | second) & FAILS) !== 0) return -1;
    state = second & STATE;
  }
  return canEnd[state] === 1 ? length : -1;
}

/** Octets that the text's code takes, padding included; its characters must be below 0x100. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += codeLengths[text.charCodeAt(i)] as number;
  return (bits + 7) >>> 3;
}

/** Writes the text's code, padded with ones, and gives the offset after it. `out` must have room. */
export function writeHuffman(out: Uint8Array, start: number, text: string): number {
  let at = start;
  let pending = 0;
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    const length = codeLengths[symbol] as number;
    const code = codes[symbol] as number;
    // Fewer than eight bits wait here, and a code may have thirty: two halves, so that 32 suffice.
    if (length > 16) {
      pending = (pending << (length - 16)) | (code >>> 16);
      for (bits += length - 16; bits >= 8; bits -= 8) out[at++] = pending >>> (bits - 8);
      pending = (pending << 16) | (code & 0xffff);
      bits += 16;
    } else {
      pending = (pending << length) | code;
      bits += length;
    }
    for (; bits >= 8; bits -= 8) out[at++] = pending >>> (bits - 8);
  }
  if (bits > 0) out[at++] = (pending << (8 - bits)) | (0xff >>> bits);
  return at;
}
