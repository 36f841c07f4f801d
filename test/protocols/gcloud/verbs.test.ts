// Every word of a verb counts, and a call by gRPC is what its twin in REST is.

import { expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { gcloudClassifier } from "../../../src/protocols/gcloud/classify.ts";
import { requestOf } from "../request-of.ts";

function tierOf(line: string): TierOrUnknown {
  return gcloudClassifier.classify(requestOf(line)).tier;
}

const call = (method: string, service = "google.x.v1.X"): string =>
  `POST https://x.googleapis.com/${service}/${method}`;

test("of two actions in one name the stricter counts", () => {
  const rows: readonly (readonly [method: string, tier: TierOrUnknown])[] = [
    ["CheckAndMutateRow", "modify"],
    ["ReadModifyWriteRow", "modify"],
    ["LookupOrRegister", "modify"],
    ["GetThenPurge", "sensitive"],
    ["ReadOrDeleteRows", "sensitive"],
    ["FetchAndFrobnicate", "unknown"],
    ["GetTermsAndConditions", "observe"],
    ["ListBuildsAndTests", "observe"],
    ["GetBuild", "observe"],
    ["QueryWriteStatus", "observe"],
    ["BidiReadObject", "observe"],
    ["BidiWriteObject", "modify"],
    ["SplitReadStream", "observe"],
    ["SplitRows", "modify"],
    ["SampleRowKeys", "observe"],
  ];
  for (const [method, tier] of rows) expect([method, tierOf(call(method))]).toEqual([method, tier]);
  const rest = "POST https://bigtable.googleapis.com/v2/projects/p/instances/i/tables/t:";
  for (const verb of ["getOrCreate", "checkAndSet", "get-or-create", "readModifyWriteRow"])
    expect([verb, tierOf(`${rest}${verb}`)]).toEqual([verb, "modify"]);
});

test("a call is what its twin in REST is", () => {
  const agents = "google.cloud.aiplatform.v1.ReasoningEngineExecutionService";
  for (const method of ["QueryReasoningEngine", "StreamQueryReasoningEngine"])
    expect([method, tierOf(call(method, agents))]).toEqual([method, "modify"]);
  const iap = "google.cloud.iap.v1.IdentityAwareProxyOAuthService";
  expect(tierOf(call("ListIdentityAwareProxyClients", iap))).toBe("sensitive");
  expect(tierOf(call("EnableSecretVersion", "google.cloud.secretmanager.v1.SecretManagerService"))).toBe(
    "sensitive",
  );
});
