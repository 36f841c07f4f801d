// A gRPC message's addition to its call: SQL and mutations are judged as those of the REST twin, a
// message that cannot be read is in doubt, and a stream counts as the worst that it can hold.

import { describe, expect, test } from "bun:test";
import type { RequestBody } from "../../../src/model/request.ts";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { gcloudClassifier } from "../../../src/protocols/gcloud/classify.ts";
import { type Field, protobuf } from "../../support/policy/kubernetes-encodings.ts";

function framed(message: Uint8Array, isCompressed = false): Uint8Array {
  const head = Buffer.alloc(5);
  head[0] = isCompressed ? 1 : 0;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function tierOf(call: string, body: RequestBody, type = "application/grpc"): TierOrUnknown {
  const [host = ""] = call.split("/");
  const request = {
    method: "POST",
    host,
    port: 443,
    target: call.slice(host.length),
    headers: [["content-type", type]],
    body,
  } as const;
  return gcloudClassifier.classify(request).tier;
}

const whole = (bytes: Uint8Array): RequestBody => ({ kind: "whole", bytes });
const sent = (call: string, ...fields: Field[]) => tierOf(call, whole(framed(protobuf(...fields))));

const FIRESTORE = "firestore.googleapis.com/google.firestore.v1.Firestore";
const SPANNER = "spanner.googleapis.com/google.spanner.v1.Spanner";
const BIGTABLE = "bigtable.googleapis.com/google.bigtable.v2.Bigtable";
const BIGQUERY = "bigquery.googleapis.com/google.cloud.bigquery.v2.JobService";

describe("a message is judged by what it holds", () => {
  const rows: readonly (readonly [call: string, fields: Field[], tier: TierOrUnknown])[] = [
    [
      `${FIRESTORE}/Commit`,
      [
        [1, "projects/p"],
        [2, [[1, [[1, "doc"]]]]],
      ],
      "modify",
    ],
    [
      `${FIRESTORE}/Commit`,
      [
        [1, "projects/p"],
        [2, [[1, [[1, "a"]]]]],
        [2, [[2, "doc"]]],
      ],
      "sensitive",
    ],
    [`${FIRESTORE}/BatchWrite`, [[2, [[2, "doc"]]]], "sensitive"],
    ["datastore.googleapis.com/google.datastore.v1.Datastore/Commit", [[6, [[7, [[1, "k"]]]]]], "sensitive"],
    ["datastore.googleapis.com/google.datastore.v1.Datastore/Commit", [[6, [[6, [[1, "k"]]]]]], "modify"],
    [
      `${SPANNER}/Commit`,
      [
        [1, "s"],
        [4, [[5, [[1, "t"]]]]],
      ],
      "sensitive",
    ],
    [
      `${SPANNER}/Commit`,
      [
        [1, "s"],
        [4, [[1, [[1, "t"]]]]],
      ],
      "modify",
    ],
    [`${SPANNER}/BatchWrite`, [[4, [[1, [[5, [[1, "t"]]]]]]]], "sensitive"],
    [
      `${SPANNER}/ExecuteSql`,
      [
        [1, "sessions/s"],
        [3, "DELETE FROM t WHERE true"],
      ],
      "sensitive",
    ],
    [
      `${SPANNER}/ExecuteSql`,
      [
        [1, "sessions/s"],
        [3, "UPDATE t SET a = 1 WHERE b = 2"],
      ],
      "modify",
    ],
    [
      `${SPANNER}/ExecuteBatchDml`,
      [
        [4, [[1, "UPDATE t SET a=1 WHERE b=2"]]],
        [4, [[1, "DELETE FROM t"]]],
      ],
      "sensitive",
    ],
    [
      "spanner.googleapis.com/google.spanner.admin.database.v1.DatabaseAdmin/UpdateDatabaseDdl",
      [
        [1, "d"],
        [2, "GRANT SELECT ON TABLE t TO ROLE r"],
      ],
      "break-glass",
    ],
    [
      `${BIGQUERY}/Query`,
      [
        [1, "p"],
        [2, [[1, "DROP TABLE d.t"]]],
      ],
      "sensitive",
    ],
    [
      `${BIGTABLE}/MutateRow`,
      [
        [1, "t"],
        [3, [[1, [[1, "f"]]]]],
      ],
      "modify",
    ],
    [
      `${BIGTABLE}/MutateRow`,
      [
        [1, "t"],
        [3, [[4, []]]],
      ],
      "sensitive",
    ],
    [
      `${BIGTABLE}/MutateRows`,
      [
        [
          2,
          [
            [1, "k"],
            [2, [[2, [[1, "f"]]]]],
          ],
        ],
      ],
      "sensitive",
    ],
    [`${BIGTABLE}/CheckAndMutateRow`, [[5, [[3, [[1, "f"]]]]]], "sensitive"],
    [`${FIRESTORE}/Write`, [[1, "projects/p"]], "sensitive"],
    [
      "bigquerystorage.googleapis.com/google.cloud.bigquery.storage.v1.BigQueryWrite/AppendRows",
      [[1, "s"]],
      "sensitive",
    ],
  ];
  for (const [call, fields, tier] of rows)
    test(`${call.slice(call.lastIndexOf(".") + 1)} is ${tier}`, () => {
      expect(sent(call, ...fields)).toBe(tier);
    });
});

test("a message that is compressed, cut off, unread or no protobuf is in doubt", () => {
  const call = `${FIRESTORE}/Commit`;
  const message = protobuf([2, [[2, "doc"]]]);
  expect(tierOf(call, whole(framed(message, true)))).toBe("unknown");
  expect(tierOf(call, whole(framed(message).subarray(0, 8)))).toBe("unknown");
  expect(tierOf(call, whole(framed(Uint8Array.of(7, 7, 7))))).toBe("unknown");
  expect(tierOf(call, { kind: "unread", why: "it is too long" })).toBe("unknown");
  const second = Buffer.concat([framed(protobuf([1, "p"])), framed(message)]);
  expect(tierOf(call, whole(second))).toBe("sensitive");
});

test("the same calls as JSON, from browsers and by REST, are judged alike", () => {
  const json = (text: string) => whole(new TextEncoder().encode(text));
  const rpc = "firestore.googleapis.com/$rpc/google.firestore.v1.Firestore/Commit";
  expect(tierOf(rpc, json('{"writes":[{"delete":"doc"}]}'), "application/json+protobuf")).toBe("sensitive");
  expect(tierOf(rpc, json('{"writes":[{"update":{}}]}'), "application/json")).toBe("modify");
  const table = "bigtable.googleapis.com/v2/projects/p/instances/i/tables/t";
  for (const verb of ["mutateRow", "mutateRows", "checkAndMutateRow"])
    for (const [member, tier] of [
      ["deleteFromRow", "sensitive"],
      ["delete_from_family", "sensitive"],
      ["setCell", "modify"],
    ] as const)
      expect(tierOf(`${table}:${verb}`, json(`{"mutations":[{"${member}":{}}]}`), "application/json")).toBe(
        tier,
      );
});

test("only what is sent whole is waited for", () => {
  const needs = (call: string) =>
    gcloudClassifier.needsBody({
      method: "POST",
      host: call.split("/")[0] ?? "",
      port: 443,
      target: call.slice(call.indexOf("/")),
      headers: [],
    });
  expect(needs(`${FIRESTORE}/Commit`)).toBe(true);
  expect(needs(`${SPANNER}/ExecuteStreamingSql`)).toBe(true);
  for (const call of ["Write", "Listen", "RunQuery"]) expect(needs(`${FIRESTORE}/${call}`)).toBe(false);
});
