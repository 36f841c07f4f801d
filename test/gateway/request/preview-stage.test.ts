// The stage that compares the effect with the shown one, on parts of a real gateway, with effects
// that the test chooses.

import { expect, test } from "bun:test";
import type { EffectRelease, HeldEffect } from "../../../src/gateway/cluster/held-effect.ts";
import { plainCarrier } from "../../../src/gateway/request/ask-runner.ts";
import { exchange } from "../../../src/gateway/request/exchange.ts";
import { askDigest } from "../../../src/gateway/request/fingerprint.ts";
import type { AskCarrier } from "../../../src/gateway/request/stages/stage.ts";
import { STAGES } from "../../../src/gateway/request/stages/stages.ts";
import { judgeOperation } from "../../../src/policy/decide/judge.ts";
import { madeUpOperation } from "../../support/policy/ask.ts";
import { askParts } from "../../support/policy/ask-parts.ts";

const POLICY = `generic:\n  inspect: ["h"]\n  groups: { w: { tiers: [modify] } }\n  default: escalate\n`;

/** An ask whose effect is compared with these answers, one after the other. */
async function run(answers: readonly EffectRelease[], without?: string) {
  await using own = await askParts(POLICY, "enforce");
  const left = [...answers];
  const effect: HeldEffect = {
    show: async () => ({ state: "shown", about: "changes it" }),
    release: async () => left.shift() ?? { kind: "changed", why: "it never stands still" },
    inherit() {},
    forget() {},
  };
  const reasons: string[] = [];
  const stop = own.events.subscribe(({ tag, fields }) => {
    if (tag !== "approval_requested") return;
    const approval = own.parts.broker.list().find(({ id }) => id === fields.id);
    reasons.push(approval?.reason ?? "");
    setImmediate(() => own.parts.broker.reply(String(fields.id), "approved"));
  });
  const went: (Uint8Array | undefined)[] = [];
  const refused: string[] = [];
  const base = plainCarrier(own.parts, {
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
    onLeave: () => () => {},
    refuse: ({ reason }) => void refused.push(reason),
    forward: async () => {},
  });
  const carrier: AskCarrier = Object.assign(Object.create(base) as AskCarrier, {
    judge: () => base.judge(),
    unjudged: (reason: string) => base.unjudged(reason),
    onLeave: (gone: () => void) => base.onLeave(gone),
    refuse: (refusal: Parameters<AskCarrier["refuse"]>[0]) => base.refuse(refusal),
    owns: (error: unknown) => base.owns(error),
    release: () => base.release(),
    show: () => ({ heldBytes: 0, effect }),
    async forward(ended: () => void, along?: { readonly replaced: Uint8Array | undefined }) {
      went.push(along?.replaced);
      ended();
    },
  });
  await exchange(
    own.parts,
    carrier,
    STAGES.filter(({ name }) => name !== without),
  );
  stop();
  return { reasons, went, refused };
}

test("an effect that still holds lets the request go, once", async () => {
  const { went, reasons } = await run([{ kind: "go" }]);
  expect(went).toEqual([undefined]);
  expect(reasons).toHaveLength(1);
});

test("what the effect pins goes in place of the body", async () => {
  const replaced = new TextEncoder().encode("{}");
  expect((await run([{ kind: "go", replaced }])).went).toEqual([replaced]);
});

test("another effect by now is another question, which says why", async () => {
  const { went, reasons } = await run([{ kind: "changed", why: "the object was changed" }, { kind: "go" }]);
  expect(reasons).toHaveLength(2);
  expect(reasons[1]).toStartWith("the object was changed, so it is asked about again");
  expect(went).toHaveLength(1);
});

test("an effect that never stands still is refused after some questions", async () => {
  const { went, reasons, refused } = await run([]);
  expect(went).toEqual([]);
  expect(reasons).toHaveLength(8);
  expect(refused[0]).toContain("it never stands still, again and again");
});

test("without the stage that compares, nothing goes that has an effect", async () => {
  const { went, refused } = await run([{ kind: "go" }], "preview");
  expect(went).toEqual([]);
  expect(refused[0]).toContain("the shown effect was not compared again");
});
