// Text of any characters. What fast-check has for it, `unit: "binary"`, makes a table of all of Unicode
// before the first text: half a second of processor time in every process that asks.

import fc from "fast-check";

const SURROGATES = 0x800;
const character = fc
  .nat(0x10_ff_ff - SURROGATES)
  .map((at) => String.fromCodePoint(at < 0xd800 ? at : at + SURROGATES));

/** Strings of any code points but halves of pairs. */
export function anyText(constraints: Pick<fc.StringConstraints, "maxLength"> = {}): fc.Arbitrary<string> {
  return fc.string({ ...constraints, unit: character });
}
