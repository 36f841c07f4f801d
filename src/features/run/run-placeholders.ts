// Replaces the credentials that iddio lends by placeholders in a run. The real values are nowhere
// in it.

import type { ControlClient } from "../../api/client.ts";
import { CREDENTIAL_METHODS } from "../../api/methods/credentials.ts";

/** A credential's placeholder in the run, and the person's own outside. */
export interface RunPlaceholder {
  readonly variables: readonly (readonly [string, string])[];
  readonly own: string;
  readonly outside: string;
}

/** Those of a run. */
export async function placeholdersOf(
  daemon: ControlClient,
  runId: string,
): Promise<readonly RunPlaceholder[]> {
  const entry = CREDENTIAL_METHODS.credentials_placeholders;
  const { placeholders: own } = await daemon.call("credentials_placeholders", { run_id: runId }, entry);
  if (own.length === 0) return [];
  const { placeholders: outside } = await daemon.call("credentials_placeholders", {}, entry);
  return own.map(({ name, placeholder, environment }) => ({
    variables: Object.entries(environment),
    own: placeholder,
    outside: outside.find((each) => each.name === name)?.placeholder ?? "",
  }));
}
