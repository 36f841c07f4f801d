// The contract of the stages: whichever of them is removed, broken or slow, what is to be refused
// is never forwarded. The person in these tests allows whatever is asked, unless a case says
// otherwise, and every ask is tried as a request and as an ask of a simpler carrier.

import { describe, expect, test } from "bun:test";
import { type Carried, plainCarrier } from "../../../src/gateway/request/ask-runner.ts";
import type { Gateway } from "../../../src/gateway/request/context.ts";
import { exchange } from "../../../src/gateway/request/exchange.ts";
import { askDigest } from "../../../src/gateway/request/fingerprint.ts";
import { type ClientRequest, HttpCarrier } from "../../../src/gateway/request/http/http-carrier.ts";
import { LookAhead } from "../../../src/gateway/request/http/look-ahead.ts";
import type { AskCarrier, Stage } from "../../../src/gateway/request/stages/stage.ts";
import { STAGES } from "../../../src/gateway/request/stages/stages.ts";
import { judgeOperation } from "../../../src/policy/decide/judge.ts";
import { madeUpOperation } from "../../support/policy/ask.ts";
import { askParts, type TestParts } from "../../support/policy/ask-parts.ts";

const policyWith = (rules: string) =>
  `generic:\n  inspect: ["h"]\n  groups: { w: { tiers: [modify] } }\n  default: escalate\n${rules}`;
const ASKING = policyWith("");
const ALLOWING = policyWith("  rules: { allow: { groups: [w] } }\n");
const DENYING = policyWith("  rules: { deny: { groups: [w] } }\n");

/** The client's view, and the number of forwards. */
interface Seen {
  forwards: number;
  refusals: number;
  leave: () => void;
}

function plain({ parts }: TestParts, seen: Seen): AskCarrier {
  const carried: Carried = {
    asked: {
      carrier: "mcp",
      target: { name: "h", port: 0 },
      subject: { client: undefined, credential: "c" },
      fields: {},
      evidence: [{ label: "Arguments", text: "{}" }],
      digest: askDigest("mcp", ["h"]),
      heldBytes: 2,
    },
    judge: (policy, asker) => judgeOperation(policy, madeUpOperation(), asker),
    onLeave(left) {
      seen.leave = left;
      return () => {};
    },
    refuse() {
      seen.refusals += 1;
    },
    async forward(ended) {
      seen.forwards += 1;
      ended();
    },
  };
  return plainCarrier(parts, carried);
}

function http({ parts }: TestParts, seen: Seen): AskCarrier {
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
    onLeave(left) {
      seen.leave = left;
      return () => {};
    },
    ask: () => Promise.reject(new Error("nothing is asked")),
    issuer: () => Promise.resolve(undefined),
    send: () => Promise.reject(new Error("nothing is sent")),
    answer: () => Promise.reject(new Error("nothing is answered")),
    async refuse() {
      seen.refusals += 1;
    },
    async forward(answered) {
      seen.forwards += 1;
      answered(200);
    },
  };
  const trust = { belowPrefix: (_host: string, _port: number, target: string) => target };
  const effects = { of: () => undefined };
  const credentials = { isNeeded: false };
  const gateway = { ...parts, lookAhead: new LookAhead(), trust, effects, credentials } as unknown as Gateway;
  return new HttpCarrier(gateway, ["generic"], request, () => ["generic"]);
}

const CARRIERS = { http, plain };

/** A person's act while it waits: by default an allow. */
type Person = (own: TestParts, id: string, seen: Seen) => void;
const allows: Person = ({ parts }, id) => void parts.broker.reply(id, "approved");

interface Case {
  readonly name: string;
  readonly policy: string;
  readonly timeoutMs?: number;
  readonly before?: (own: TestParts) => Promise<void>;
  readonly person?: Person;
}

const REFUSED: readonly Case[] = [
  { name: "the policy denies it", policy: DENYING },
  {
    name: "a person denies it",
    policy: ASKING,
    person: ({ parts }, id) => void parts.broker.reply(id, "denied"),
  },
  { name: "nobody answers", policy: ASKING, timeoutMs: 30, person: () => {} },
  { name: "the client leaves", policy: ASKING, person: (_own, _id, seen) => seen.leave() },
  {
    name: "the policy comes to deny it while it waits",
    policy: ASKING,
    person(own, id, seen) {
      own.use(DENYING);
      allows(own, id, seen);
    },
  },
  {
    name: "its intent cannot be written",
    policy: ALLOWING,
    before: (own) => own.breakAudit(),
  },
];

/** Parts for one case; where its journal is broken it stays so. */
async function partsFor(given: Case): Promise<TestParts> {
  const own = await askParts(given.policy, "enforce", given.timeoutMs);
  await given.before?.(own);
  return own;
}

async function run(
  own: TestParts,
  given: Case,
  make: keyof typeof CARRIERS,
  stages: readonly Stage[],
): Promise<Seen> {
  own.use(given.policy);
  const seen: Seen = { forwards: 0, refusals: 0, leave: () => {} };
  const person = given.person ?? allows;
  const stop = own.events.subscribe(({ tag, fields }) => {
    if (tag === "approval_requested") setImmediate(() => person(own, String(fields.id), seen));
  });
  await exchange(own.parts, CARRIERS[make](own, seen), stages);
  stop();
  return seen;
}

const LIMIT_MS = 300_000;
const ALLOWED: readonly Case[] = [
  { name: "the policy allows it", policy: ALLOWING },
  { name: "a person allows it", policy: ASKING },
];

const without = (name: string) => STAGES.filter((each) => each.name !== name);
const replaced = (name: string, by: (stage: Stage) => Stage["run"]) =>
  STAGES.map((each) => (each.name === name ? { name, run: by(each) } : each));

const pause = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

const CHANGES: Readonly<Record<string, (name: string) => readonly Stage[]>> = {
  "is removed": without,
  "throws at once": (name) =>
    replaced(name, () => () => {
      throw new TypeError("broken");
    }),
  "rejects later": (name) =>
    replaced(name, () => async () => {
      await pause();
      throw new TypeError("broken");
    }),
  "throws after it has run": (name) =>
    replaced(name, (stage) => async (state) => {
      await stage.run(state);
      throw new TypeError("broken");
    }),
  "is slow": (name) =>
    replaced(name, (stage) => async (state) => {
      await pause();
      const refused = await stage.run(state);
      await pause();
      return refused;
    }),
};

const MAKES = Object.keys(CARRIERS) as (keyof typeof CARRIERS)[];

describe.each(MAKES)("as %s", (make) => {
  for (const given of REFUSED)
    test(
      `not forwarded when ${given.name}, whichever stage is removed, broken or slow`,
      async () => {
        await using own = await partsFor(given);
        expect(await run(own, given, make, STAGES)).toMatchObject({ forwards: 0, refusals: 1 });
        for (const [what, change] of Object.entries(CHANGES))
          for (const { name } of STAGES)
            expect((await run(own, given, make, change(name))).forwards, `${name} ${what}`).toBe(0);
      },
      LIMIT_MS,
    );

  for (const given of ALLOWED) {
    test(
      `forwarded once when ${given.name}, however slow a stage is`,
      async () => {
        await using own = await partsFor(given);
        for (const { name } of STAGES) {
          const seen = await run(own, given, make, CHANGES["is slow"]?.(name) ?? []);
          expect(seen, name).toMatchObject({ forwards: 1, refusals: 0 });
        }
      },
      LIMIT_MS,
    );

    test(
      `refused although ${given.name} when a stage before \`forward\` breaks`,
      async () => {
        await using own = await partsFor(given);
        for (const what of ["throws at once", "rejects later", "throws after it has run"])
          for (const name of ["classify", "guard", "hold", "intent"]) {
            const seen = await run(own, given, make, CHANGES[what]?.(name) ?? []);
            expect(seen, `${name} ${what}`).toMatchObject({ forwards: 0, refusals: 1 });
          }
      },
      LIMIT_MS,
    );

    test(
      `refused although ${given.name} when a stage that proves it is missing`,
      async () => {
        await using own = await partsFor(given);
        const decides = given.policy === ALLOWING ? [] : ["hold"];
        for (const name of ["classify", "intent", "forward", ...decides])
          expect(await run(own, given, make, without(name)), name).toMatchObject({
            forwards: 0,
            refusals: 1,
          });
      },
      LIMIT_MS,
    );
  }

  test("a stage that claims that a denied ask was allowed does not open the gate", async () => {
    const denied: Case = { name: "denied", policy: DENYING };
    await using own = await partsFor(denied);
    const lies: Stage = {
      name: "lies",
      run(state) {
        state.decision = { kind: "forward", result: { outcome: "approved", decision: "allow" } };
        state.hasIntent = true;
        return undefined;
      },
    };
    const stages = replaced("guard", () => lies.run);
    expect(await run(own, denied, make, stages)).toMatchObject({ forwards: 0 });
    const unjudged = STAGES.map((each) => (each.name === "classify" ? lies : each));
    const allowed = { ...denied, policy: ALLOWING };
    expect(await run(own, allowed, make, unjudged)).toMatchObject({ forwards: 0 });
  }, 120_000);
});

test("the stages are these, in this order, each at most a hundred lines", async () => {
  expect(STAGES.map(({ name }) => name)).toEqual([
    "classify",
    "guard",
    "hold",
    "preview",
    "record",
    "credentials",
    "keep",
    "intent",
    "forward",
    "outcome",
  ]);
  for (const { name } of STAGES) {
    const text = await Bun.file(`src/gateway/request/stages/${name}.ts`).text();
    expect(text.split("\n").length - 1, name).toBeLessThanOrEqual(100);
  }
});
