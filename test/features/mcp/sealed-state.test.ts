// The state that iddio gives a client while its call waits: the server behind sees nothing of it,
// and gets what the same client had to say to it before.

import { expect, test } from "bun:test";
import { StateSeals, unsealed, unsealedText } from "../../../src/features/mcp/judge/sealed-state.ts";
import type { JsonObject } from "../../../src/wire/jsonrpc/message.ts";

const text = (params: JsonObject) => JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
const sentOf = (params: JsonObject) => JSON.parse(unsealedText(text(params), params)).params;

const calls: readonly JsonObject[] = [
  { name: "a", arguments: { x: 1 } },
  { name: "a", arguments: {}, requestState: "of the server", inputResponses: { q: { action: "accept" } } },
  { requestState: "of the server" },
  { name: "a", inputResponses: {} },
];

for (const call of calls)
  test(`what the server gets after a hold is what it would have got without: ${JSON.stringify(call)}`, () => {
    const seals = new StateSeals();
    const state = seals.seal("digest", "me", call);
    const { requestState: _, inputResponses: __, ...own } = call;
    // The client answers iddio's own question, which is none of the server's.
    for (const again of [
      { ...own, requestState: state },
      { requestState: state, inputResponses: { "ap-1": { action: "accept" } }, ...own },
    ]) {
      expect(unsealed(again)).toEqual(call);
      expect(sentOf(again)).toEqual(call as never);
      expect(unsealedText(text(again), again)).not.toContain("iddio.");
    }
    expect(seals.open(state, "digest", "me")).toBe(true);
    expect(seals.open(state, "digest", "me")).toBe(false);
  });

test("a request without a state of ours is left as it is, octet for octet", () => {
  for (const call of calls) {
    const pretty = JSON.stringify(
      { jsonrpc: "2.0", id: 1, method: "tools/call", params: call },
      undefined,
      2,
    );
    expect(unsealedText(pretty, call)).toBe(pretty);
    expect(unsealed(call)).toBe(call);
  }
});

test("a state counts for its call, its client and its time, and what it carries can only be what was sealed", () => {
  const seals = new StateSeals();
  const state = seals.seal("digest", "me", calls[1] as JsonObject, 1_000);
  expect(seals.open(state, "other", "me", 1_000)).toBe(false);
  expect(seals.open(state, "digest", "you", 1_000)).toBe(false);
  expect(seals.open(state, "digest", "me", 1_000 + 15 * 60_000)).toBe(false);
  expect(new StateSeals().open(state, "digest", "me", 1_000)).toBe(false);
  // Whatever is put in is among the parameters that the digest is made of.
  const forged = `${state.split(".").slice(0, 4).join(".")}.${Buffer.from('{"name":"b","requestState":"x"}').toString("base64url")}`;
  expect(unsealed({ name: "a", requestState: forged })).toEqual({ name: "a", requestState: "x" });
  for (const bad of ["iddio.", "iddio.a.b.c.!!", `iddio.a.b.c.${Buffer.from("[1]").toString("base64url")}`])
    expect(unsealed({ name: "a", requestState: bad })).toEqual({ name: "a" });
});
