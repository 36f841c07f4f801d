// To whom, over what and with what a lent credential goes: one fact of a request is changed at a
// time, and the sentence says which. The same holds for tokens that were given out with one.

import { expect, test } from "bun:test";
import { whyNotLent } from "../../../src/features/credentials/lending-rules.ts";
import type { StoredCredential } from "../../../src/features/credentials/stored-credential.ts";
import type { LendingRequest } from "../../../src/gateway/request/contracts/credential-release.ts";
import { madeUpOperation } from "../../support/policy/ask.ts";

const CREDENTIAL = {
  ...{ name: "lent", kind: "github", hosts: ["git.example.test:8443"] },
  origin: { from: "env" },
} as unknown as StoredCredential;

interface Facts {
  readonly host?: string;
  readonly port?: number;
  readonly method?: string;
  readonly isOwnUser?: boolean;
  readonly isVerified?: boolean;
  readonly tier?: "observe" | "break-glass" | "unknown";
}

const ROWS: readonly (readonly [facts: Facts, why: string | undefined])[] = [
  [{}, undefined],
  [{ tier: "break-glass", method: "DELETE" }, undefined],
  [{ host: "git.example.test", port: 8443 }, undefined],
  [{ host: "git.example.test" }, "is not for git.example.test:443"],
  [{ port: 8443 }, "is not for api.github.com:8443"],
  [{ host: "api.github.com.evil.test" }, "is not for api.github.com.evil.test:443"],
  [{ isOwnUser: false }, "is lent to no other user"],
  [{ isVerified: false }, "is not sent without TLS"],
  [{ method: "TRACE" }, "is not sent with TRACE"],
  [{ method: "TRACK" }, "is not sent with TRACK"],
  [{ method: "CONNECT" }, "is not sent with CONNECT"],
  [{ tier: "unknown" }, "is not sent with a request that iddio does not know"],
];

test("a credential goes to its own user, its hosts, verified TLS and requests that iddio knows", () => {
  for (const [facts, why] of ROWS) {
    const { host = "api.github.com", port = 443, method = "GET", tier = "observe" } = facts;
    const { isOwnUser = true, isVerified = true } = facts;
    const request: LendingRequest = {
      head: { method, host, port, target: "/user", headers: [] } as unknown as LendingRequest["head"],
      client: undefined,
      lender: { isOwnUser, isVerified },
      identity: "",
      operation: madeUpOperation({ protocol: "github", tier: tier as "observe" }),
      body: async () => undefined,
    };
    expect({ facts, why: whyNotLent(CREDENTIAL, request, () => "") }).toEqual({ facts, why });
  }
});
