// gh prints these bodies: gh 2.23 shows `HTTP 403: <message>` for REST and the messages of errors[]
// for GraphQL.

import { describe, expect, test } from "bun:test";
import { refusalMessage, renderRefusal } from "../../src/protocols/refusal.ts";
import type { Refusal } from "../../src/protocols/refused.ts";

const refusal: Refusal = {
  status: 403,
  outcome: "refused",
  tier: "sensitive",
  command: "repos/delete",
  rule: "github.rules.deny.groups[0]",
  reason: "the policy denies it",
  retry: false,
};

function replyTo(target: string, host = "api.github.com") {
  const reply = renderRefusal("github", refusal, { method: "POST", host, port: 443, target, headers: [] });
  const type = reply.headers.find(([name]) => name === "content-type")?.[1];
  return { status: reply.status, type, text: new TextDecoder().decode(reply.body) };
}

describe("a refusal at GitHub", () => {
  test("of REST is a message", () => {
    const { status, type, text } = replyTo("/repos/acme/web?access_token=hush");
    expect([status, type]).toEqual([403, "application/json; charset=utf-8"]);
    expect(JSON.parse(text)).toMatchObject({ message: refusalMessage(refusal), status: "403" });
    expect(text).not.toContain("hush");
  });

  for (const target of ["/graphql", "/api/graphql", "/graphql/?x=1"])
    test(`of GraphQL at ${target} is an error of type FORBIDDEN`, () => {
      expect(JSON.parse(replyTo(target).text)).toMatchObject({
        errors: [{ type: "FORBIDDEN", message: refusalMessage(refusal) }],
      });
    });

  test("of LFS has the type that git-lfs reads", () => {
    const { type, text } = replyTo("/acme/web.git/info/lfs/objects/batch", "github.com");
    expect(type).toBe("application/vnd.git-lfs+json");
    expect(JSON.parse(text).message).toBe(refusalMessage(refusal));
  });
});
