// Which namespaces a request acts in, named or not.

import { describe, expect, test } from "bun:test";
import { kubectlClassifier } from "../../../src/protocols/kubectl/classify.ts";
import { requestOf } from "../request-of.ts";

function namespaceOf(line: string): string | undefined {
  const [method, path] = line.split(" ");
  const { labels, unnamedScopes, spannedScopes } = kubectlClassifier.classify(
    requestOf(`${method} https://k.example${path}`),
  );
  const [some] = unnamedScopes ?? [];
  const [every] = spannedScopes ?? [];
  if (some !== undefined && every !== undefined) throw new Error(`some ${some} and every ${every}`);
  return some !== undefined ? `some ${some}` : every !== undefined ? `every ${every}` : labels.namespace;
}

describe("the namespace of", () => {
  const rows: readonly (readonly [line: string, namespace: string | undefined])[] = [
    ["GET /api/v1/namespaces/web/pods", "web"],
    ["GET /api/v1/namespaces/web", "web"],
    ["DELETE /api/v1/namespaces/web", "web"],
    ["GET /api/v1/pods", "every namespace"],
    ["GET /api/v1/pods?fieldSelector=metadata.namespace%3Dweb", "every namespace"],
    ["GET /api/v1/watch/pods", "every namespace"],
    ["GET /api/v1/pods?watch=true", "every namespace"],
    ["DELETE /apis/apps/v1/deployments", "every namespace"],
    ["POST /api/v1/pods", "some namespace"],
    ["DELETE /api/v1/pods/web-0", "some namespace"],
    ["GET /apis/events.k8s.io/v1/events", "every namespace"],
    ["GET /apis/metrics.k8s.io/v1beta1/pods", "every namespace"],
    ["GET /apis/metrics.k8s.io/v1beta1/nodes", undefined],
    // Whether its type is in namespaces or above them, the path does not tell.
    ["GET /apis/example.com/v1/things", "some namespace"],
    ["DELETE /apis/example.com/v1/things", "some namespace"],
    ["PATCH /apis/example.com/v1/things/one", undefined],
    ["POST /api/v1/namespaces", "some namespace"],
    ["DELETE /api/v1/namespaces", "every namespace"],
    ["GET /api/v1/namespaces", undefined],
    ["GET /api/v1/nodes", undefined],
    ["PATCH /api/v1/nodes/n1", undefined],
    ["GET /api/v1/nodes/n1/proxy/pods", "every namespace"],
    ["POST /api/v1/proxy/nodes/n1/run/a/b/c", "every namespace"],
    ["DELETE /apis/rbac.authorization.k8s.io/v1/clusterroles/a", undefined],
    ["GET /apis/storage.k8s.io/v1/storageclasses", undefined],
    ["POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", undefined],
    ["DELETE /apis/project.openshift.io/v1/projects/web", "web"],
    ["POST /apis/project.openshift.io/v1/projectrequests", "some namespace"],
    ["GET /version", undefined],
    ["GET /apis/apps/v1", undefined],
    ["GET /k8s/clusters/c-1/api/v1/pods", "every namespace"],
  ];
  for (const [line, namespace] of rows)
    test(`${line}: ${namespace ?? "none"}`, () => expect(namespaceOf(line)).toBe(namespace));
});
