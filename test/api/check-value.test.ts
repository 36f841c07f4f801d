// The check of inputs and answers: which values it accepts.

import { expect, test } from "bun:test";
import { valueProblem } from "../../src/api/check-value.ts";
import {
  anything,
  either,
  flag,
  list,
  map,
  number,
  object,
  optional,
  pair,
  text,
  words,
} from "../../src/api/schema.ts";

const person = object({
  name: text(),
  age: optional(number()),
  tags: list(text()),
  kind: words(["a", "b"]),
  more: optional(object({ is: flag() })),
});
const good = { name: "x", tags: [], kind: "a" };

const TABLE: readonly {
  readonly of: Parameters<typeof valueProblem>[0];
  readonly value: unknown;
  readonly strict: string | undefined;
  /** The same as strict unless told. */
  readonly open?: string | undefined;
}[] = [
  { of: text(), value: "", strict: undefined },
  { of: text(), value: 1, strict: "it is not a string" },
  { of: number(), value: 0, strict: undefined },
  { of: number(), value: Number.NaN, strict: "it is not a number" },
  { of: number(), value: "1", strict: "it is not a number" },
  { of: flag(), value: 0, strict: "it is not a boolean" },
  { of: anything(), value: null, strict: undefined },
  { of: map(number()), value: { a: 1 }, strict: undefined },
  { of: map(number()), value: { a: "1" }, strict: "it is not a map" },
  { of: map(number()), value: [], strict: "it is not a map" },
  { of: pair(text(), number()), value: ["a", 1], strict: undefined },
  { of: pair(text(), number()), value: ["a"], strict: "it is not a pair" },
  { of: pair(text(), number()), value: ["a", "b"], strict: "field '1' is not a number" },
  { of: either(text(), number()), value: 1, strict: undefined },
  { of: either(text(), number()), value: true, strict: "it is not a string" },
  { of: person, value: good, strict: undefined },
  { of: person, value: null, strict: "it is not an object" },
  { of: person, value: [], strict: "it is not an object" },
  { of: person, value: { ...good, name: undefined }, strict: "field 'name' is not a string" },
  { of: person, value: { ...good, tags: ["a", 1] }, strict: "field 'tags.1' is not a string" },
  { of: person, value: { ...good, more: { is: 1 } }, strict: "field 'more.is' is not a boolean" },
  { of: person, value: { ...good, new: 1 }, strict: "unknown field 'new'", open: undefined },
  {
    of: person,
    value: { ...good, more: { is: true, no: 1 } },
    strict: "unknown field 'more.no'",
    open: undefined,
  },
  { of: person, value: { ...good, kind: "c" }, strict: "field 'kind' is not one of: a, b", open: undefined },
  { of: person, value: { ...good, kind: 1 }, strict: "field 'kind' is not a string" },
  {
    of: person,
    value: JSON.parse('{"__proto__":1}'),
    strict: "unknown field '__proto__'",
    open: "field 'name' is not a string",
  },
  { of: person, value: Object.create(good), strict: "field 'name' is not a string" },
];

for (const row of TABLE)
  test(`${row.of.shape.kind}: ${JSON.stringify(row.value)} ${row.strict ?? "is taken"}`, () => {
    expect(valueProblem(row.of, row.value, "strict")).toBe(row.strict as string);
    expect(valueProblem(row.of, row.value, "open")).toBe(("open" in row ? row.open : row.strict) as string);
  });
