// A hash over JSON, for telling whether the shown value is still the same.

import { createHash } from "node:crypto";
import { comparableJson } from "../../protocols/kubectl/effect/normalise.ts";

/** A hash that is equal for equal values, whatever the order of their members. */
export function digestOfValue(value: unknown): string {
  return createHash("sha256")
    .update(comparableJson(value) ?? "")
    .digest("hex");
}
