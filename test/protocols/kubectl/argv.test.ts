import { describe, expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { kubectlClassifier } from "../../../src/protocols/kubectl/classify.ts";

type Row = readonly [line: string, tier: TierOrUnknown, command: string, namespace?: string];

/** Splits at spaces; `_` stands for a space inside a word. */
function argvOf(line: string): readonly string[] {
  return line.split(" ").map((word) => word.replaceAll("_", " "));
}

function check(rows: readonly Row[]): void {
  for (const [line, tier, command, namespace] of rows) {
    const answer = kubectlClassifier.classifyArgv(argvOf(line));
    expect([line, answer.tier, answer.command, answer.labels]).toEqual([
      line,
      tier,
      command,
      namespace === undefined ? {} : { namespace },
    ]);
  }
}

describe("grammar", () => {
  test("flags stand before and after the command, in every form of pflag", () => {
    check([
      ["kubectl get pods -n dev", "observe", "pods list", "dev"],
      ["kubectl -n dev get pods", "observe", "pods list", "dev"],
      ["kubectl -ndev get pods", "observe", "pods list", "dev"],
      ["kubectl --namespace=dev get pods", "observe", "pods list", "dev"],
      ["kubectl get --namespace dev pods", "observe", "pods list", "dev"],
      ["kubectl -n=dev get pods", "observe", "pods list", "dev"],
      ["kubectl -n dev -n prod get pods", "observe", "pods list", "prod"],
      ["kubectl -n dev get pods -A", "observe", "pods list"],
      ["kubectl -v=6 -o yaml get secret", "sensitive", "secrets list"],
      ["kubectl --context prod --insecure-skip-tls-verify get po x", "observe", "pods get"],
      ["kubectl get pods -ojson -lapp=x", "observe", "pods list"],
      ["kubectl get pods -Aw", "observe", "pods watch"],
      ["kubectl exec -itn dev pod -- kubectl get pods", "break-glass", "exec", "dev"],
    ]);
  });

  test("words after -- are words, not flags", () => {
    check([
      ["kubectl get -- secrets", "sensitive", "secrets list"],
      ["kubectl get pods/x -- secrets/y", "sensitive", "secrets get"],
      ["kubectl delete -- pod -n", "sensitive", "pods delete"],
    ]);
  });

  test("a flag that kubectl does not have leaves everything open", () => {
    check([
      ["kubectl get --frob pods", "unknown", "pods list"],
      ["kubectl get pods --frob secrets", "unknown", "pods get"],
      ["kubectl get pods -Z", "unknown", "pods list"],
      ["kubectl get pods -n", "unknown", "pods list"],
      ["kubectl exec p --frob -- sh", "break-glass", "exec"],
    ]);
  });

  test("a plugin may do anything", () => {
    check([
      ["kubectl frob", "unknown", "frob"],
      ["kubectl frob --help", "unknown", "frob"],
      ["kubectl --all delete pods", "unknown", "pods"],
      ["kubectl rollout frob deploy/x", "unknown", "rollout"],
      ["kubectl create frob x", "unknown", "create"],
    ]);
  });

  test("help is help, unless it is a value", () => {
    check([
      ["kubectl", "observe", "help"],
      ["kubectl --help", "observe", "help"],
      ["kubectl delete pods --all -h", "observe", "help"],
      ["kubectl delete pods -l -h --all", "sensitive", "pods delete"],
      ["kubectl delete pods --all --help=false", "sensitive", "pods delete"],
    ]);
  });
});

describe("resources", () => {
  test("plural, singular, short, any case, with group and version", () => {
    for (const word of [
      "deployments",
      "deployment",
      "deploy",
      "Deployment",
      "deployments.apps",
      "deployments.v1.apps",
    ])
      check([[`kubectl get ${word}`, "observe", "deployments list"]]);
    for (const word of ["secret", "Secrets", "secret.v1", "SECRET/x"])
      expect(kubectlClassifier.classifyArgv(["kubectl", "get", word]).tier).toBe("sensitive");
    check([
      ["kubectl get ingress", "observe", "ingresses list"],
      ["kubectl get storageclass x", "observe", "storageclasses get"],
      ["kubectl get networkpolicy", "observe", "networkpolicies list"],
      ["kubectl get endpoints", "observe", "endpoints list"],
      ["kubectl get certificates.cert-manager.io x", "observe", "certificates.cert-manager.io get"],
      ["kubectl get certificate", "observe", "certificates list"],
      ["kubectl delete role.rbac.authorization.k8s.io x", "break-glass", "roles delete"],
      ["kubectl delete role.iam.example.com x", "break-glass", "roles.iam.example.com delete"],
    ]);
  });

  test("lists are as strict as their strictest", () => {
    check([
      ["kubectl get pods,secrets", "sensitive", "secrets list"],
      ["kubectl get pod/a svc/b secret/c", "sensitive", "secrets get"],
      ["kubectl delete pod/a ns/b", "break-glass", "namespaces delete", "b"],
      ["kubectl get cm secrets -o yaml", "observe", "configmaps get"],
    ]);
    const parts = kubectlClassifier.classifyArgv(["kubectl", "get", "pods,secrets"]).parts;
    expect(parts?.map((part) => part.command)).toEqual(["pods list", "secrets list"]);
  });

  test("cluster-wide types carry no namespace, a namespace carries itself", () => {
    check([
      ["kubectl -n dev get nodes", "observe", "nodes list"],
      ["kubectl -n dev delete ns prod", "break-glass", "namespaces delete", "prod"],
      ["kubectl create ns prod", "break-glass", "namespaces create", "prod"],
    ]);
  });
});

describe("commands", () => {
  test("reads", () => {
    check([
      ["kubectl describe pod x", "observe", "pods get"],
      ["kubectl describe secret x", "sensitive", "secrets get"],
      ["kubectl logs -f deploy/api -c app --since 1h", "observe", "pods/log get"],
      ["kubectl logs -p x", "observe", "pods/log get"],
      ["kubectl top pods --containers -n dev", "observe", "pods list", "dev"],
      ["kubectl top node n1", "observe", "nodes list"],
      ["kubectl wait --for=condition=Ready pod/x --timeout=10s", "observe", "pods watch"],
      ["kubectl rollout status deploy/x", "observe", "deployments watch"],
      ["kubectl rollout history deploy/x", "observe", "deployments get"],
      ["kubectl auth can-i delete pods -n dev", "observe", "selfsubjectaccessreviews create"],
      ["kubectl auth whoami", "observe", "selfsubjectreviews create"],
      ["kubectl api-resources -o wide", "observe", "api-resources"],
      ["kubectl cluster-info dump", "observe", "cluster-info"],
      ["kubectl diff -f x.yaml", "observe", "diff"],
      ["kubectl get -f x.yaml", "sensitive", "get"],
      ["kubectl get all", "observe", "pods list"],
      ["kubectl events --for pod/x --watch", "observe", "events list"],
      ["kubectl explain pods.spec --recursive", "observe", "explain"],
      ["kubectl version --client", "observe", "version"],
      ["kubectl label pods x --list", "observe", "pods get"],
      ["kubectl set env deploy/x --list", "observe", "deployments get"],
    ]);
  });

  test("writes", () => {
    check([
      ["kubectl apply -f x.yaml", "modify", "apply"],
      ["kubectl apply -k overlays/prod", "modify", "apply"],
      ["kubectl create -f -", "modify", "create"],
      ["kubectl create deployment x --image=y -- sleep 1", "modify", "deployments create"],
      ["kubectl patch deploy x -p {}", "modify", "deployments patch"],
      ["kubectl edit svc/x", "modify", "services patch"],
      ["kubectl annotate pod x url=http://a/b -n dev", "modify", "pods patch", "dev"],
      ["kubectl scale deploy/x --replicas 3", "modify", "deployments/scale patch"],
      ["kubectl autoscale deploy x --max=3", "modify", "horizontalpodautoscalers create"],
      ["kubectl expose deploy x --port 80", "modify", "services create"],
      ["kubectl rollout restart deploy/x", "modify", "rollout restart deployments"],
      ["kubectl rollout undo deploy/x --to-revision=2", "modify", "deployments patch"],
      ["kubectl set image deploy/x c=img", "modify", "set image deployments"],
      ["kubectl set env deploy/x A=b", "modify", "set env deployments"],
      ["kubectl cordon n1", "modify", "cordon"],
      ["kubectl taint nodes n1 k=v:NoSchedule", "modify", "taint"],
      ["kubectl run x --image=y", "modify", "pods create"],
      ["kubectl config use-context prod", "modify", "config use-context"],
    ]);
  });

  test("deletions and secrets", () => {
    check([
      ["kubectl delete -f x.yaml", "sensitive", "delete"],
      ["kubectl delete pods --all -n dev", "sensitive", "pods delete", "dev"],
      ["kubectl delete deploy -l app=x", "sensitive", "deployments delete"],
      ["kubectl drain n1 --ignore-daemonsets --force", "sensitive", "pods/eviction create"],
      ["kubectl apply -f x --prune -l a=b", "sensitive", "apply"],
      ["kubectl replace --force -f x", "sensitive", "replace"],
      ["kubectl create secret generic x --from-literal=a=b", "sensitive", "secrets create"],
      ["kubectl set env deploy/x --list --resolve", "sensitive", "secrets get"],
      ["kubectl config view --raw", "sensitive", "config view"],
    ]);
  });

  test("break-glass", () => {
    check([
      ["kubectl exec -it pod -- sh", "break-glass", "exec"],
      ["kubectl exec pod sh", "break-glass", "exec"],
      ["kubectl attach pod -i", "break-glass", "attach"],
      ["kubectl port-forward svc/x 8080:80", "break-glass", "port-forward"],
      ["kubectl proxy -p 8001", "break-glass", "proxy"],
      ["kubectl cp a:/b c", "break-glass", "cp"],
      ["kubectl debug node/n1 -it --image=busybox", "break-glass", "debug"],
      ["kubectl alpha debug pod", "break-glass", "debug"],
      ["kubectl run -it x --image=y -- sh", "break-glass", "attach"],
      ["kubectl create token sa", "break-glass", "serviceaccounts/token create"],
      ["kubectl create rolebinding x --role=r --user=u", "break-glass", "rolebindings create"],
      ["kubectl certificate approve c", "break-glass", "certificatesigningrequests/approval update"],
      ["kubectl auth reconcile -f x", "break-glass", "auth reconcile"],
      ["kubectl set subject rolebinding x --user=u", "break-glass", "rolebindings patch"],
      ["kubectl patch pod x --subresource=ephemeralcontainers -p {}", "break-glass", "debug"],
      ["kubectl get pods --as=admin", "break-glass", "pods list"],
      ["kubectl --as-group system:masters get pods", "break-glass", "pods list"],
    ]);
  });

  test("dry runs and --local send no change", () => {
    check([
      ["kubectl apply -f x --dry-run=server", "observe", "apply"],
      ["kubectl apply -f x --dry-run=client", "observe", "apply"],
      ["kubectl apply -f x --dry-run", "observe", "apply"],
      ["kubectl apply -f x --dry-run=none", "modify", "apply"],
      ["kubectl apply -f x --dry-run=server --dry-run=none", "modify", "apply"],
      ["kubectl delete pod x --dry-run=server", "observe", "pods delete"],
      ["kubectl delete ns x --dry-run=server", "break-glass", "namespaces delete", "x"],
      ["kubectl create secret generic x --dry-run=client -o yaml", "observe", "secrets create"],
      ["kubectl patch secret x -p {} --dry-run=server", "sensitive", "secrets patch"],
      ["kubectl set image --local -f x c=d", "observe", "set image"],
      ["kubectl exec pod --dry-run=client -- sh", "break-glass", "exec"],
    ]);
  });

  test("raw paths are judged as requests", () => {
    check([
      ["kubectl get --raw /api/v1/namespaces/dev/secrets/x", "sensitive", "secrets get", "dev"],
      ["kubectl get --raw=/healthz", "observe", "healthz get"],
      ["kubectl delete --raw /api/v1/namespaces/dev/pods/x", "sensitive", "pods delete", "dev"],
      [
        "kubectl create --raw /api/v1/namespaces/dev/pods/x/eviction -f e.json",
        "sensitive",
        "pods/eviction create",
        "dev",
      ],
      [
        "kubectl replace --raw /api/v1/namespaces/dev/finalize -f x",
        "break-glass",
        "namespaces/finalize update",
        "dev",
      ],
      ["kubectl get --raw /api/v1/namespaces/dev/pods/../secrets", "unknown", ""],
    ]);
  });

  test("kustomize on its own", () => {
    check([
      ["kustomize build overlays/prod", "observe", "kustomize build"],
      ["kustomize build --enable-exec .", "modify", "kustomize build"],
      ["kustomize version", "observe", "kustomize version"],
      ["kustomize edit set image a=b", "modify", "kustomize edit"],
      ["kustomize frob", "unknown", ""],
    ]);
  });
});
