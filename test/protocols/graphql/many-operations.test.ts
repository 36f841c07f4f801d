// A document of many operations is unknown, and each fragment is read once a kind however many
// operations spread it.

import { expect, test } from "bun:test";
import { readGraphqlDocument } from "../../../src/protocols/graphql/document.ts";

const document = (operations: number) =>
  `${Array.from({ length: operations }, (_, i) => `${i % 2 === 0 ? "query" : "mutation"} Q${i}{a${i} ...F}`).join(" ")} fragment F on X {secret {b}}`;

test("sixteen operations are told apart, seventeen are not", () => {
  const few = readGraphqlDocument(document(16), "Q3", undefined, 12_000);
  expect([few.problem, few.operations.length, few.selected?.name]).toEqual([undefined, 16, "Q3"]);
  const many = readGraphqlDocument(document(17), "Q3", undefined, 12_000);
  expect([many.problem, many.selected]).toEqual(["a document of more than 16 operations", undefined]);
  // Every field that may run is still seen: those of all queries, and of all mutations.
  expect(many.operations.map(({ kind, fields }) => [kind, fields.length])).toEqual([
    ["query", 10],
    ["mutation", 9],
  ]);
  expect(many.operations[1]?.reached.has("b")).toBe(true);
});
