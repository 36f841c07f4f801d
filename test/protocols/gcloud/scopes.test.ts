// Which projects, organisations, regions and zones a request acts in without naming them.

import { describe, expect, test } from "bun:test";
import type { Classification } from "../../../src/model/classification.ts";
import type { Header } from "../../../src/model/request.ts";
import { gcloudClassifier } from "../../../src/protocols/gcloud/classify.ts";
import { requestOf } from "../request-of.ts";

function classify(line: string, headers: readonly Header[] = []) {
  const [method, url] = line.split(" ");
  return gcloudClassifier.classify(requestOf(`${method} https://${url}`, { headers }));
}

/** `project !zone`: in some project that it does not name, and in every zone. */
function scopesOf({ unnamedScopes = [], spannedScopes = [] }: Classification): string {
  return [...unnamedScopes, ...spannedScopes.map((label) => `!${label}`)].join(" ");
}

describe("scopes that a request does not name", () => {
  const rows: readonly (readonly [line: string, scopes: string])[] = [
    ["DELETE compute.googleapis.com/compute/v1/projects/p/zones/europe-west1-b/instances/i", ""],
    ["POST run.googleapis.com/v2/projects/p/locations/europe-west1/services", ""],
    ["POST iam.googleapis.com/v1/projects/p/serviceAccounts", ""],
    ["POST pubsub.googleapis.com/v1/projects/p/topics/t:publish", ""],
    ["GET compute.googleapis.com/compute/v1/projects/p", ""],
    ["DELETE compute.googleapis.com/compute/v1/projects/p/global/firewalls/f", ""],
    // Wildcards and lists across.
    ["GET compute.googleapis.com/compute/v1/projects/p/aggregated/instances", "!region !zone"],
    ["GET container.googleapis.com/v1/projects/p/locations/-/clusters", "!region !zone"],
    ["GET container.googleapis.com/v1/projects/p/locations/-/clusters/c", "region zone"],
    ["GET run.googleapis.com/v1/projects/-/locations/-/services", "!project !region !zone"],
    ["GET dataproc.googleapis.com/v1/projects/p/regions/-/clusters", "!region"],
    ["GET storage.googleapis.com/storage/v1/b?project=p", "region"],
    ["GET cloudresourcemanager.googleapis.com/v1/projects", "project"],
    // In some project, region or zone.
    ["DELETE storage.googleapis.com/storage/v1/b/bk", "project region"],
    ["DELETE storage.googleapis.com/storage/v1/b/bk/o/a%2Fb", "project region"],
    ["PUT bkt.storage.googleapis.com/a", "project region"],
    ["DELETE sqladmin.googleapis.com/v1/projects/p/instances/i", "region zone"],
    ["POST compute.googleapis.com/compute/v1/projects/p/setCommonInstanceMetadata", "region zone"],
    ["POST bigquery.googleapis.com/bigquery/v2/projects/p/jobs", "project region"],
    ["GET spanner.googleapis.com/v1/projects/p/instances/i", "region"],
    [
      "POST storage.googleapis.com/google.storage.v2.Storage/DeleteBucket",
      "project organization region zone",
    ],
    // By number.
    ["DELETE secretmanager.googleapis.com/v1/projects/1234/secrets/s", "project"],
    ["DELETE cloudresourcemanager.googleapis.com/v3/projects/1234", "project"],
    [
      "GET connectgateway.googleapis.com/v1/projects/1234/locations/global/gkeMemberships/m/api/v1/namespaces/a/pods",
      "project",
    ],
    ["POST iam.googleapis.com/v1/projects/-/serviceAccounts/1234/keys", "project"],
    ["POST iam.googleapis.com/v1/projects/-/serviceAccounts/a@web.iam.gserviceaccount.com/keys", ""],
    // Above projects.
    ["POST cloudresourcemanager.googleapis.com/v3/organizations/12:setIamPolicy", "project"],
    ["GET cloudresourcemanager.googleapis.com/v3/organizations/12", ""],
    ["POST cloudresourcemanager.googleapis.com/v3/folders/12:setIamPolicy", "project organization"],
    ["GET cloudresourcemanager.googleapis.com/v3/folders/12", "organization"],
    // In none.
    ["GET www.googleapis.com/drive/v3/files", ""],
    ["POST oauth2.googleapis.com/token", ""],
    ["GET www.googleapis.com/discovery/v1/apis", ""],
  ];
  for (const [line, scopes] of rows)
    test(`${line}: ${scopes || "none"}`, () => expect(scopesOf(classify(line))).toBe(scopes));
});

test("the address of a service account names the project that gcloud leaves out", () => {
  const projectOf = (address: string) =>
    classify(`POST iam.googleapis.com/v1/projects/-/serviceAccounts/${address}/keys`).labels.project;
  expect(projectOf("a@web-prod.iam.gserviceaccount.com")).toBe("web-prod");
  expect(projectOf("a@web.example.com.iam.gserviceaccount.com")).toBe("example.com:web");
  expect(projectOf("web-prod@appspot.gserviceaccount.com")).toBe("web-prod");
  expect(projectOf("123-compute@developer.gserviceaccount.com")).toBeUndefined();
  expect(projectOf("a@evil.example")).toBeUndefined();
});

test("Storage's field for a project counts only where buckets are listed and made", () => {
  const field: Header = ["x-goog-project-id", "sandbox"];
  const of = (line: string) => {
    const { labels, unnamedScopes } = classify(line, [field]);
    return [labels.project, unnamedScopes?.join(" ")];
  };
  expect(of("GET storage.googleapis.com/")).toEqual(["sandbox", "region"]);
  expect(of("PUT storage.googleapis.com/new-bucket")).toEqual(["sandbox", "region"]);
  expect(of("DELETE storage.googleapis.com/old-bucket")).toEqual([undefined, "project region"]);
  expect(of("PUT storage.googleapis.com/old-bucket?cors")).toEqual([undefined, "project region"]);
  expect(of("PUT storage.googleapis.com/old-bucket/key")).toEqual([undefined, "project region"]);
});
