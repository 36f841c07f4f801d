// Credentials and access by the words of names, in groups that nobody listed: requests and command
// lines alike.

import { expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { kubectlClassifier } from "../../../src/protocols/kubectl/classify.ts";
import { requestOf } from "../request-of.ts";

const HOST = "https://k.example:6443";

function check(rows: readonly (readonly [line: string, tier: TierOrUnknown])[]): void {
  for (const [line, tier] of rows) {
    const [method, path] = line.split(" ");
    const answer =
      method === "kubectl"
        ? kubectlClassifier.classifyArgv(line.split(" "))
        : kubectlClassifier.classify(requestOf(`${method} ${HOST}${path}`));
    expect([line, answer.tier]).toEqual([line, tier]);
  }
}

test("reads of credentials are sensitive, no matter who serves them", () => {
  check([
    ["GET /apis/oauth.openshift.io/v1/oauthaccesstokens", "sensitive"],
    ["GET /apis/oauth.openshift.io/v1/oauthclients/c", "sensitive"],
    ["GET /apis/example.com/v1/namespaces/a/things/t/kubeconfig", "sensitive"],
    ["GET /apis/example.com/v1/namespaces/a/databasecredentials/t", "sensitive"],
    ["GET /apis/external-secrets.io/v1/namespaces/a/externalsecrets", "sensitive"],
    ["DELETE /apis/ext.cattle.io/v1/tokens/t?dryRun=All", "sensitive"],
    ["GET /api/v1/namespaces/a/pods/p/log", "observe"],
    ["GET /apis/apps/v1/namespaces/a/deployments/d/scale", "observe"],
    ["GET /apis/example.com/v1/namespaces/a/widgets/w/status", "observe"],
  ]);
});

test("writes that issue a credential or change who may do what are break-glass", () => {
  check([
    ["POST /apis/core.gardener.cloud/v1beta1/namespaces/g/shoots/s/viewerkubeconfig", "break-glass"],
    ["POST /apis/login.concierge.pinniped.dev/v1alpha1/tokencredentialrequests", "break-glass"],
    ["POST /apis/management.cattle.io/v3/namespaces/p/projectroletemplatebindings", "break-glass"],
    ["PUT /apis/user.openshift.io/v1/users/u", "break-glass"],
    ["DELETE /apis/management.cattle.io/v3/globalroles/admin", "break-glass"],
    ["PUT /apis/iamauthenticator.k8s.aws/v1alpha1/iamidentitymappings/m", "break-glass"],
    ["PATCH /api/v1/namespaces/kube-system/configmaps/aws-auth", "break-glass"],
    ["DELETE /api/v1/namespaces/kube-system/configmaps/aws-auth", "break-glass"],
    ["PATCH /api/v1/namespaces/kube-system/configmaps/coredns", "modify"],
    ["POST /api/v1/namespaces/a/pods/p/binding", "modify"],
    ["POST /apis/servicebinding.io/v1/namespaces/a/servicebindings", "modify"],
    ["kubectl edit configmap aws-auth -n kube-system", "break-glass"],
    ["kubectl delete globalrolebinding admin", "break-glass"],
  ]);
});

test("consoles are connections, reviews are questions, and an unknown subresource is unknown", () => {
  check([
    ["GET /apis/subresources.kubevirt.io/v1/namespaces/n/virtualmachineinstances/v/usbredir", "break-glass"],
    [
      "GET /apis/subresources.kubevirt.io/v1/namespaces/n/virtualmachineinstances/v/vnc/screenshot",
      "break-glass",
    ],
    ["GET /apis/example.com/v1/namespaces/a/widgets/w/frobnicate", "unknown"],
    ["GET /apis/custom.metrics.k8s.io/v1beta1/namespaces/dev/pods/*/rps", "observe"],
    ["POST /apis/authorization.openshift.io/v1/subjectaccessreviews", "observe"],
    ["POST /apis/authentication.k8s.io/v1/tokenreviews", "observe"],
  ]);
});
