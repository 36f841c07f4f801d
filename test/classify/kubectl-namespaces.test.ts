// Which namespaces a request acts in, named or not.

import { describe, expect, test } from "bun:test";
import { kubectlClassifier } from "../../src/classify/kubectl.ts";
import { requestOf } from "./request-of.ts";

function namespaceOf(line: string): string | undefined {
  const [method, path] = line.split(" ");
  const { labels, unnamedScopes } = kubectlClassifier.classify(
    requestOf(`${method} https://k.example${path}`),
  );
  return unnamedScopes === undefined ? labels.namespace : unnamedScopes.map((label) => `any ${label}`).join();
}

describe("the namespace of", () => {
  const rows: readonly (readonly [line: string, namespace: string | undefined])[] = [
    ["GET /api/v1/namespaces/web/pods", "web"],
    ["GET /api/v1/namespaces/web", "web"],
    ["DELETE /api/v1/namespaces/web", "web"],
    ["GET /api/v1/pods", "any namespace"],
    ["GET /api/v1/pods?fieldSelector=metadata.namespace%3Dweb", "any namespace"],
    ["GET /api/v1/watch/pods", "any namespace"],
    ["DELETE /apis/apps/v1/deployments", "any namespace"],
    ["DELETE /api/v1/pods/web-0", "any namespace"],
    ["GET /apis/events.k8s.io/v1/events", "any namespace"],
    ["GET /apis/metrics.k8s.io/v1beta1/pods", "any namespace"],
    ["GET /apis/metrics.k8s.io/v1beta1/nodes", undefined],
    ["GET /apis/example.com/v1/things", "any namespace"],
    ["PATCH /apis/example.com/v1/things/one", undefined],
    ["POST /api/v1/namespaces", "any namespace"],
    ["GET /api/v1/namespaces", undefined],
    ["GET /api/v1/nodes", undefined],
    ["PATCH /api/v1/nodes/n1", undefined],
    ["GET /api/v1/nodes/n1/proxy/pods", "any namespace"],
    ["POST /api/v1/proxy/nodes/n1/run/a/b/c", "any namespace"],
    ["DELETE /apis/rbac.authorization.k8s.io/v1/clusterroles/a", undefined],
    ["GET /apis/storage.k8s.io/v1/storageclasses", undefined],
    ["POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", undefined],
    ["DELETE /apis/project.openshift.io/v1/projects/web", "web"],
    ["POST /apis/project.openshift.io/v1/projectrequests", "any namespace"],
    ["GET /version", undefined],
    ["GET /apis/apps/v1", undefined],
    ["GET /k8s/clusters/c-1/api/v1/pods", "any namespace"],
  ];
  for (const [line, namespace] of rows)
    test(`${line}: ${namespace ?? "none"}`, () => expect(namespaceOf(line)).toBe(namespace));
});
