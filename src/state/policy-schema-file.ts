// policy.schema.json beside policy.yaml, so that an editor completes and marks errors without a
// network. It is derived: always of this version, never read by iddio itself.

import { readFile } from "node:fs/promises";
import { policySchema } from "../policy/parse/schema.ts";
import { writeFileAtomic } from "./files.ts";
import type { StatePaths } from "./paths.ts";

/** The schema as `iddio policy schema` prints it, with a final line feed. */
export function policySchemaText(): string {
  return `${JSON.stringify(policySchema(), null, 2)}\n`;
}

/** Writes it if it is missing or of another version. */
export async function writePolicySchema(paths: StatePaths): Promise<void> {
  const text = policySchemaText();
  const there = await readFile(paths.policySchema, "utf8").catch(() => undefined);
  if (there !== text) await writeFileAtomic(paths.policySchema, text);
}
