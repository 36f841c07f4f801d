// The daemon's part of credentials: it lends them to requests, and handles the control methods
// about them. Every change is recorded with its caller; a value is in no row, not even the one that
// goes to the keychain.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import type { RecordControl } from "../../gateway/request/records/record-control.ts";
import { CredentialStore } from "../../state/tables/credential-store.ts";
import { Credentials } from "./credentials.ts";

type Methods =
  | "credentials_list"
  | "credentials_add"
  | "credentials_placeholders"
  | "credentials_test"
  | "credentials_revoke"
  | "credentials_remove";

/** Starts lending. */
export function startCredentials({ cleanup, record, database, ...parts }: DaemonParts): DaemonPart {
  const credentials = new Credentials({ ...parts, store: new CredentialStore(database) });
  cleanup.defer(() => credentials.close());
  return { contracts: { credentials }, handlers: handlersOf(credentials, record) };
}

function handlersOf(credentials: Credentials, record: RecordControl): Pick<ControlHandlers, Methods> {
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
