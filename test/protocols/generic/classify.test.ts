import { describe, expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { genericClassifier } from "../../../src/protocols/generic/classify.ts";
import { type Extras, requestOf } from "../request-of.ts";

function tierOf(line: string, extras?: Extras): TierOrUnknown {
  const [method, path] = line.split(/ (.*)/s);
  return genericClassifier.classify(requestOf(`${method} https://api.internal.example.com${path}`, extras))
    .tier;
}

function check(rows: readonly (readonly [string, TierOrUnknown])[], extras?: Extras): void {
  for (const [line, tier] of rows) expect([line, tierOf(line, extras)]).toEqual([line, tier]);
}

test("tiers follow the manual's methods", () => {
  check([
    ["GET /", "observe"],
    ["HEAD /a", "observe"],
    ["OPTIONS /a", "observe"],
    ["POST /a", "modify"],
    ["PUT /a", "modify"],
    ["PATCH /a", "modify"],
    ["DELETE /a", "sensitive"],
    ["LOCK /state/prod", "modify"],
    ["UNLOCK /state/prod", "modify"],
  ]);
});

test("any other method is unknown", () => {
  for (const method of ["TRACE", "CONNECT", "PROPFIND", "get", "Delete", "FROB"])
    check([[`${method} /a`, "unknown"]]);
});

test("OData's batch is unknown, however its name is written", () => {
  for (const path of ["/$batch", "/v1.0/$batch/", "/v1/%24batch?x", "/v1/%2524batch", "/a/$BATCH"])
    check([[`POST ${path}`, path.includes("%25") ? "modify" : "unknown"]]);
  check([
    ["POST /a/batch", "modify"],
    ["GET /$batches", "observe"],
  ]);
});

describe("a destructive word in the path is at least sensitive", () => {
  test("as a whole word, in every usual spelling", () => {
    for (const path of [
      "/v1/delete-user",
      "/v1/bulkDelete",
      "/v1/users:delete",
      "/v1/DeleteUser",
      "/delete",
      "/a/DELETE/b",
      "/purge_all",
      "/db.drop",
      "/XMLDestroy",
      "/evict2",
      "/cluster/terminateNow",
      "/a?b",
      "/%64elete",
      "/%2564elete",
      "/a%2Fdelete",
      "/del%65te-user",
    ])
      check([[`GET ${path}`, path === "/a?b" ? "observe" : "sensitive"]]);
    check([["POST /v1/delete-user", "sensitive"]]);
  });
  test("not inside another word, and not in the query", () => {
    for (const path of [
      "/dropbox",
      "/v1/undelete",
      "/deleted",
      "/terminated",
      "/purgeable",
      "/a?action=delete",
      "/raindrops",
    ])
      check([[`GET ${path}`, "observe"]]);
  });
});

test("a WebSocket is a command of its own, break-glass and nothing less", () => {
  const headers: Extras["headers"] = [["upgrade", "websocket"]];
  check([["GET /socket", "break-glass"]], { headers });
  const { command } = genericClassifier.classify(requestOf("GET https://h.example/a", { headers }));
  expect(command).toBe("websocket");
  check([["GET /delete", "unknown"]], { headers });
});

test("an upgrade is unknown and hides no deletion", () => {
  const extras: Extras = { headers: [["upgrade", "websocket"]] };
  check([["GET /socket", "unknown"]], { headers: [["upgrade", "other"]] });
  const answer = genericClassifier.classify(requestOf("DELETE https://h.example/a", extras));
  expect(answer.tier).toBe("unknown");
  expect(answer.parts?.map((part) => part.tier)).toContain("sensitive");
});

test("an override counts when it is stricter", () => {
  const extras: Extras = { headers: [["X-HTTP-Method-Override", "DELETE"]] };
  check(
    [
      ["POST /a", "sensitive"],
      ["GET /a", "sensitive"],
    ],
    extras,
  );
  check([["DELETE /a", "sensitive"]], { headers: [["X-HTTP-Method-Override", "GET"]] });
  check([["GET /a?x=1&_method=PUT", "modify"]]);
  check([["POST /a", "unknown"]], { headers: [["X-HTTP-Method-Override", "FROB"]] });
});

test("only a form's body is wanted, and no command line is read", () => {
  const withType = (type: string) => ({
    ...requestOf("POST https://h.example/a"),
    headers: [["Content-Type", type]] as const,
  });
  expect(genericClassifier.needsBody(withType("application/json"))).toBe(false);
  expect(genericClassifier.needsBody(withType("application/x-www-form-urlencoded"))).toBe(true);
  expect(genericClassifier.needsBody(requestOf("PUT https://h.example/a"))).toBe(false);
  expect(genericClassifier.classifyArgv(["rm", "-rf", "/"]).tier).toBe("unknown");
});
