// A hash over JSON, for telling whether what was shown is still so.

import { createHash } from "node:crypto";
import { canonicalJson } from "../../protocols/kubectl/effect/normalise.ts";

/** A hash that is equal for equal values, whatever the order of their members. */
export function digestOfValue(value: unknown): string {
  return createHash("sha256")
    .update(canonicalJson(value) ?? "")
    .digest("hex");
}
