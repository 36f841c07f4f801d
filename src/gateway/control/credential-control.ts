// The control methods about credentials. Every change is recorded with who made it; a value is in no row, not even the
// one that goes to the keychain.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { Credentials } from "../../features/credentials/credentials.ts";
import type { RecordControl } from "./approval-control.ts";

type Methods =
  | "credentials_list"
  | "credentials_add"
  | "credentials_placeholders"
  | "credentials_test"
  | "credentials_revoke"
  | "credentials_remove";

/** Handlers of those methods. */
export function credentialHandlers(
  credentials: Credentials,
  record: RecordControl,
): Pick<ControlHandlers, Methods> {
  return {
    credentials_list: () => ({ credentials: credentials.list() }),
    credentials_add: async (input, caller) => {
      const credential = await credentials.add(input);
      const { name, kind, from, hosts } = credential;
      record(caller, "credentials add", { credential: name, kind, from, hosts });
      return { credential };
    },
    credentials_placeholders: ({ run_id = "" }) => ({ placeholders: credentials.placeholders(run_id) }),
    credentials_test: async ({ name }) => ({ credential: await credentials.test(name) }),
    credentials_revoke: async ({ name }, caller) => {
      const revoked = await credentials.revoke(name);
      record(caller, "credentials revoke", { credential: name });
      return revoked;
    },
    credentials_remove: async ({ name }, caller) => {
      const credential = await credentials.remove(name);
      record(caller, "credentials remove", { credential: name });
      return { credential };
    },
  };
}
