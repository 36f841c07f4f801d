// Replaces the credentials that iddio lends by placeholders in a run. The real values are nowhere
// in it.

import type { ControlClient } from "../../api/client.ts";
import { CREDENTIAL_METHODS } from "../../api/methods/credentials.ts";
import type { ControlMethods } from "../../api/methods.ts";

/** A credential's placeholder in the run, and the person's own outside. */
export interface RunPlaceholder {
  readonly variables: readonly (readonly [string, string])[];
  readonly own: string;
  readonly outside: string;
}

/** Asks for the placeholders of a run; without its id for those outside. */
type Ask = (runId?: string) => Promise<ControlMethods["credentials_placeholders"]["output"]["placeholders"]>;

/** Those of a run. */
export function placeholdersOf(daemon: ControlClient, runId: string): Promise<readonly RunPlaceholder[]> {
  const ask: Ask = async (run_id) => {
    const input = run_id === undefined ? {} : { run_id };
    const entry = CREDENTIAL_METHODS.credentials_placeholders;
    return (await daemon.call("credentials_placeholders", input, entry)).placeholders;
  };
  return placeholdersFrom(ask, runId);
}

/** Those of a run, from wherever they are known. */
export async function placeholdersFrom(ask: Ask, runId: string): Promise<readonly RunPlaceholder[]> {
  const own = await ask(runId);
  if (own.length === 0) return [];
  const outside = await ask();
  return own.map(({ name, placeholder, environment }) => ({
    variables: Object.entries(environment),
    own: placeholder,
    outside: outside.find((each) => each.name === name)?.placeholder ?? "",
  }));
}
