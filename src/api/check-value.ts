// Whether a value has the shape that a schema names. The daemon checks its input and its answers
// strictly; a client checks openly, because a newer daemon may have added fields and words. Nothing
// here changes a value.

import type { AnySchema, Fields } from "./schema.ts";

/** strict: no unknown field, no unknown word. open: both are left for a newer peer to know. */
export type Strictness = "strict" | "open";

/** Says what is wrong with a value in a clause that names the field, or nothing. */
export function valueProblem(schema: AnySchema, value: unknown, how: Strictness): string | undefined {
  return problemAt(schema, value, how, "");
}

function problemAt(schema: AnySchema, value: unknown, how: Strictness, at: string): string | undefined {
  const { shape } = schema;
  const wrong = (what: string) => (at === "" ? `it is not ${what}` : `field '${at}' is not ${what}`);
  switch (shape.kind) {
    case "anything":
      return value === undefined ? wrong("a JSON value") : undefined;
    case "text":
      return typeof value === "string" ? undefined : wrong("a string");
    case "flag":
      return typeof value === "boolean" ? undefined : wrong("a boolean");
    case "number":
      return typeof value === "number" && Number.isFinite(value) ? undefined : wrong("a number");
    case "words":
      if (typeof value !== "string") return wrong("a string");
      return how === "open" || shape.words.includes(value)
        ? undefined
        : wrong(`one of: ${shape.words.join(", ")}`);
    case "list":
      if (!Array.isArray(value)) return wrong("a list");
      return firstOf(value.entries(), ([index, item]) => problemAt(shape.of, item, how, under(at, index)));
    case "map":
      if (!isRecord(value)) return wrong("a map");
      return firstOf(Object.entries(value), ([name, item]) =>
        problemAt(shape.of, item, how, name) === undefined ? undefined : wrong("a map"),
      );
    case "pair":
      if (!Array.isArray(value) || value.length !== 2) return wrong("a pair");
      return (
        problemAt(shape.of[0], value[0], how, under(at, 0)) ??
        problemAt(shape.of[1], value[1], how, under(at, 1))
      );
    case "either": {
      const problems = shape.of.map((each) => problemAt(each, value, how, at));
      return problems.includes(undefined) ? undefined : problems[0];
    }
    case "object":
      if (!isRecord(value)) return wrong("an object");
      return fieldProblem(shape.fields, value, how, at);
  }
}

function fieldProblem(
  fields: Fields,
  value: Readonly<Record<string, unknown>>,
  how: Strictness,
  at: string,
): string | undefined {
  if (how === "strict")
    for (const name of Object.keys(value))
      if (!Object.hasOwn(fields, name)) return `unknown field '${under(at, name)}'`;
  return firstOf(Object.entries(fields), ([name, field]) => {
    const item = Object.hasOwn(value, name) ? value[name] : undefined;
    if (item === undefined && field.isOptional === true) return undefined;
    return problemAt(field, item, how, under(at, name));
  });
}

function under(at: string, name: string | number): string {
  return at === "" ? String(name) : `${at}.${name}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function firstOf<T>(items: Iterable<T>, problem: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = problem(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
