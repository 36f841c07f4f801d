// A request that a person approved is judged once more before it is written down and goes: a policy
// that comes into force in the very moment of the approval still counts, and nothing reaches the
// upstream or the intent rows.

import { expect, test } from "bun:test";
import { Broker } from "../../../src/gateway/request/broker.ts";
import type { Gateway } from "../../../src/gateway/request/context.ts";
import { type ClientRequest, exchangeHttp } from "../../../src/gateway/request/http/http-carrier.ts";
import { LookAhead } from "../../../src/gateway/request/http/look-ahead.ts";
import { Events } from "../../../src/gateway/request/records/events.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import type { Policy } from "../../../src/policy/policy.ts";

function policyOf(rules: string): Policy {
  const text = `generic:\n  inspect: ["h"]\n  groups: { w: { tiers: [modify] } }\n  default: escalate\n${rules}`;
  const parsed = parsePolicy(text);
  if (!("policy" in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed.policy;
}

const ASKING = policyOf("");
const DENYING = policyOf("  rules: { deny: { groups: [w] } }\n");

/** Approves a held POST while `change` replaces the policy in the same turn, and returns its end. */
async function approve(change: Policy | undefined) {
  let policy = ASKING;
  const done: string[] = [];
  const events = new Events();
  const broker = new Broker({ events, timeoutMs: () => 60_000 });
  events.subscribe(({ tag }) => {
    // After the broker took the answer, before the request goes on.
    if (tag === "approval_replied" && change !== undefined) policy = change;
  });
  const note = (what: string) => () => void done.push(what);
  const gateway = {
    inspection: {
      get policy() {
        return policy;
      },
    },
    broker,
    lookAhead: new LookAhead(),
    presentRuns: new Set(),
    effects: { of: () => undefined },
    credentials: { isNeeded: false },
    mode: { current: "enforce" },
    grants: { find: () => undefined },
    commandGrants: { find: () => Promise.resolve(undefined) },
    settings: { current: { classify_body_limit: 1024, audit_failure: "closed" } },
    trust: { belowPrefix: (_host: string, _port: number, target: string) => target },
    recorder: {
      classified() {},
      escalated() {},
      intent: async () => note("intent")(),
      forwarded: note("recorded"),
      refused: note("refused"),
    },
  } as unknown as Gateway;
  let reply = "";
  const request: ClientRequest = {
    head: { method: "POST", host: "h", port: 443, target: "/a", headers: [["Authorization", "Bearer t"]] },
    hasBody: false,
    bodyLength: undefined,
    isUpgrade: false,
    client: undefined,
    lender: { isOwnUser: true, isVerified: true },
    identity: "",
    trailers: [],
    peekBody: async () => undefined,
    onLeave: () => () => {},
    ask: () => Promise.reject(new Error("nothing is asked")),
    issuer: () => Promise.resolve(undefined),
    send: () => Promise.reject(new Error("nothing is sent")),
    answer: () => Promise.reject(new Error("nothing is answered")),
    async refuse({ body }) {
      reply = new TextDecoder().decode(body);
    },
    async forward(answered) {
      done.push("forward");
      answered(200);
    },
  };
  const exchanged = exchangeHttp(gateway, ["generic"], request);
  let failure: unknown;
  exchanged.catch((error: unknown) => {
    failure = error;
  });
  while (broker.list().length === 0 && failure === undefined)
    await new Promise((resolve) => setImmediate(resolve));
  if (failure !== undefined) throw failure;
  const [waiting] = broker.list();
  broker.reply(waiting?.id ?? "", "approved");
  await exchanged;
  return { done, reply };
}

test("what was approved goes, after its intent is written", async () => {
  expect(await approve(undefined)).toEqual({ done: ["intent", "forward", "recorded"], reply: "" });
});

test("what a policy denies that came in between does not", async () => {
  const { done, reply } = await approve(DENYING);
  expect(done).toEqual(["refused"]);
  expect(reply).toContain("the policy changed while it waited");
});
