// Which fields may name another method, how many count, and the one that may lower a tier.

import { expect, test } from "bun:test";
import type { Header } from "../../src/model/request.ts";
import { gcloudClassifier } from "../../src/protocols/gcloud/classify.ts";
import { genericClassifier } from "../../src/protocols/generic/classify.ts";
import { effectiveMethods } from "../../src/protocols/method-override.ts";
import { requestOf } from "./request-of.ts";

const withFields = (line: string, ...headers: Header[]) => ({ ...requestOf(line), headers });

test("dashes, underscores and capitals are one, and five methods are too many", () => {
  for (const name of [
    "X-HTTP-Method-Override",
    "X_HTTP_METHOD_OVERRIDE",
    "x-http_method",
    "X-METHOD-Override",
  ])
    expect(effectiveMethods(withFields("POST https://h.example/a", [name, "delete"]))).toEqual([
      "POST",
      "DELETE",
    ]);
  const line = `POST https://h.example/a?${Array.from({ length: 3500 }, (_, i) => `_method=M${i}`).join("&")}`;
  expect(effectiveMethods(requestOf(line))).toHaveLength(6);
  expect(genericClassifier.classify(requestOf(line)).tier).toBe("unknown");
  const four = "GET https://h.example/a?_method=GET&_method=HEAD&_method=PUT&_method=POST";
  expect(genericClassifier.classify(requestOf(four)).tier).toBe("modify");
});

test("Google's override lowers on the JSON REST API alone", () => {
  const override: Header = ["X-HTTP-Method-Override", "GET"];
  const lowered = [
    "POST https://bigquery.googleapis.com/bigquery/v2/projects/p/datasets",
    "POST https://translation.googleapis.com/language/translate/v2",
  ];
  for (const line of lowered)
    expect([line, gcloudClassifier.classify(withFields(line, override)).tier]).toEqual([line, "observe"]);
  const kept = [
    "POST https://storage.googleapis.com/upload/storage/v1/b/a/o?uploadType=media",
    "POST https://storage.googleapis.com/bucket/key",
    "POST https://bucket.storage.googleapis.com/key",
    "POST https://pubsub.googleapis.com/google.pubsub.v1.Publisher/Publish",
    "POST https://firestore.googleapis.com/google.firestore.v1.Firestore/Write/channel?VER=8",
    "POST https://connectgateway.googleapis.com/v1/projects/p/locations/l/memberships/m/api/v1/namespaces/a/pods",
  ];
  for (const line of kept)
    expect([line, gcloudClassifier.classify(withFields(line, override)).tier]).not.toEqual([line, "observe"]);
  const upload: Header = ["X-Goog-Upload-Protocol", "resumable"];
  for (const line of lowered) {
    expect(gcloudClassifier.classify(withFields(line, override, upload)).tier).not.toBe("observe");
    expect(gcloudClassifier.classify(withFields(`${line}?uploadType=media`, override)).tier).not.toBe(
      "observe",
    );
  }
  const twice = withFields(lowered[0] ?? "", override, override);
  expect(gcloudClassifier.classify(twice).tier).toBe("modify");
});

test("a field that names another path counts at a host without a classifier", () => {
  for (const name of ["X-Original-URL", "X-Rewrite-URL", "X_ORIGINAL_URL", "x-original-uri"]) {
    const request = withFields("POST https://h.example/a", [name, "/admin/delete-user?x=1"]);
    expect([name, genericClassifier.classify(request).tier]).toEqual([name, "sensitive"]);
  }
  const many = Array.from({ length: 9 }, (): Header => ["X-Original-URL", "/"]);
  expect(genericClassifier.classify(withFields("GET https://h.example/a", ...many)).tier).toBe("unknown");
});
