// Checks a method's input before its handler sees it: the fields that the table names, of the kinds that it names,
// and no other, so that a flag that an older daemon does not know is never ignored.

import type { FieldKind, MethodRoute } from "./methods.ts";

/** Says what is wrong with an input, or nothing. Values that must be one of a union are the handler's to check. */
export function inputProblem(route: MethodRoute, input: unknown): string | undefined {
  if (typeof input !== "object" || input === null || Array.isArray(input))
    return "the input is not an object";
  for (const name of Object.keys(input)) {
    if (!Object.hasOwn(route.input, name)) return `unknown field '${name}'`;
  }
  for (const [name, kind] of Object.entries(route.input)) {
    const value = (input as Record<string, unknown>)[name];
    if (value === undefined && kind.endsWith("?")) continue;
    if (!isKind(value, kind)) return `field '${name}' is not a ${kind.replace("?", "")}`;
  }
  return undefined;
}

function isKind(value: unknown, kind: FieldKind): boolean {
  if (!kind.startsWith("map")) return typeof value === kind.replace("?", "");
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((item) => typeof item === "string");
}
