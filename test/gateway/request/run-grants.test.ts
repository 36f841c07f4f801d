// A grant belongs to the run that it was given in: another run, a later run with the same name, and
// whatever runs outside of any are asked about again.

import { expect, test } from "bun:test";
import { grantSubject } from "../../../src/gateway/request/grant-subject.ts";
import { HttpAsk } from "../../../src/gateway/request/http/http-ask.ts";
import type { ClientIdentity } from "../../../src/model/entry.ts";

const head = {
  method: "POST",
  host: "api.test",
  port: 443,
  target: "/",
  headers: [["authorization", "Bearer x"] as const],
};
const classification = {
  protocol: "generic",
  tier: "modify",
  command: "POST",
  aliases: [],
  labels: {},
  reason: "",
} as const;
const labels = (client: ClientIdentity | undefined) =>
  grantSubject(new HttpAsk({ head, identity: "", client }, classification, 0)).labels;

test("a grant of one run is not another's", () => {
  expect(labels({ user: "me", run: "claude", run_id: "run_1" })).toEqual({ run: "run_1" });
  expect(labels({ user: "me", run: "claude", run_id: "run_2" })).toEqual({ run: "run_2" });
  expect(labels({ user: "me" })).toEqual({});
  expect(labels(undefined)).toEqual({});
});
