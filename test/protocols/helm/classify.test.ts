import { describe, expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { helmClassifier } from "../../../src/protocols/helm/classify.ts";
import { requestOf } from "../request-of.ts";

type Row = readonly [line: string, tier: TierOrUnknown, command: string, namespace?: string];

function checkArgv(rows: readonly Row[]): void {
  for (const [line, tier, command, namespace] of rows) {
    const answer = helmClassifier.classifyArgv(line.split(" "));
    const labels = namespace === undefined ? {} : { namespace };
    expect([line, answer.tier, answer.command, answer.labels]).toEqual([line, tier, command, labels]);
  }
}

describe("command lines", () => {
  test("flags stand anywhere, aliases are their commands", () => {
    checkArgv([
      ["helm list", "observe", "list"],
      ["helm ls -n prod", "observe", "list", "prod"],
      ["helm --namespace=prod ls -A", "observe", "list", "prod"],
      ["helm -n prod upgrade --install web ./chart", "modify", "upgrade", "prod"],
      ["helm install web bitnami/nginx --version 1.2 --set a=b,c=d -f v.yaml", "modify", "install"],
      ["helm un web", "sensitive", "uninstall"],
      ["helm delete web", "sensitive", "uninstall"],
      ["helm dep up ./chart", "modify", "dependency update"],
      ["helm inspect values bitnami/nginx", "observe", "show values"],
      ["helm repo rm x", "sensitive", "repo remove"],
    ]);
  });

  test("what a release holds may be secret", () => {
    checkArgv([
      ["helm get values web", "sensitive", "get values"],
      ["helm get manifest web", "sensitive", "get manifest"],
      ["helm get notes web", "observe", "get notes"],
      ["helm status web", "observe", "status"],
    ]);
  });

  test("a dry run changes nothing, in every spelling but those that are none", () => {
    checkArgv([
      ["helm install web c --dry-run", "observe", "install"],
      ["helm upgrade web c --dry-run=server", "observe", "upgrade"],
      ["helm install web c --dry-run=server --post-renderer=./render", "modify", "install"],
      ["helm upgrade --post-renderer ./render --dry-run web c", "modify", "upgrade"],
      ["helm uninstall web --dry-run=client", "observe", "uninstall"],
      ["helm upgrade web c --dry-run=none", "modify", "upgrade"],
      ["helm uninstall web --dry-run=false", "sensitive", "uninstall"],
      // pflag takes no value after a space, so this one is a chart's name.
      ["helm upgrade --dry-run none web", "observe", "upgrade"],
    ]);
  });

  test("acting as somebody else is break-glass", () => {
    checkArgv([["helm list --kube-as-user admin", "break-glass", "list"]]);
  });

  test("plugins and flags that helm does not have are unknown", () => {
    checkArgv([
      ["helm secrets view x", "unknown", "secrets"],
      ["helm list --frob prod", "unknown", "list"],
      ["helm", "observe", "help"],
      ["helm uninstall --help", "observe", "uninstall"],
    ]);
  });
});

test("chart repositories and registries go by method", () => {
  for (const [line, tier] of [
    ["GET https://charts.example/index.yaml", "observe"],
    ["PUT https://charts.example/v2/a/manifests/1", "modify"],
    ["DELETE https://charts.example/api/charts/a/1", "sensitive"],
  ] as const)
    expect([line, helmClassifier.classify(requestOf(line)).tier]).toEqual([line, tier]);
});
