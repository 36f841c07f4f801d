import { describe, expect, test } from "bun:test";
import type { Protocol } from "../../src/model/protocol.ts";
import { routeOf } from "../../src/policy/decide/route.ts";
import { DEFAULT_POLICY } from "../../src/policy/default-policy.ts";
import { parsePolicy } from "../../src/policy/parse/parse.ts";
import { policyOf } from "../support/policy/policy-cases.ts";

const CLUSTER_IPV6 = { host: "a.eks-cluster.eu-west-1.api.aws", port: 443 };

describe("the default policy", () => {
  test("parses without a warning", () => {
    const parsed = parsePolicy(DEFAULT_POLICY);
    expect("problems" in parsed ? parsed.problems : parsed.warnings).toEqual([]);
  });

  test("names its schema for editors in the first line", () => {
    expect(DEFAULT_POLICY.split("\n")[0]).toBe("# yaml-language-server: $schema=./policy.schema.json");
  });

  test("inspects exactly the hosts of the manual", () => {
    const { blocks } = policyOf(DEFAULT_POLICY);
    const listed = [...blocks].map(([protocol, block]) => [
      protocol,
      ...block.inspect.map((one) => one.entry.text),
    ]);
    expect(listed).toEqual([
      [
        ...["kubectl", "*.eks.amazonaws.com", "*.eks.amazonaws.com.cn", "*.eks-cluster.*.api.aws"],
        ...["*.gke.goog", "*.azmk8s.io", "*.azmk8s.us", "*.azmk8s.cn"],
      ],
      ["gcloud", "*.googleapis.com"],
      ["fly", "api.fly.io", "api.machines.dev", "registry.fly.io", "*.fly.dev"],
      ["mcp"],
    ]);
  });

  test("allows reads, escalates writes and deletes, and denies break-glass", () => {
    for (const block of policyOf(DEFAULT_POLICY).blocks.values()) {
      const actions = [...(block.rules?.tiers ?? [])].map(([tier, verdict]) => `${tier} ${verdict.action}`);
      expect(actions.sort()).toEqual([
        "break-glass deny",
        "modify escalate",
        "observe allow",
        "sensitive escalate",
      ]);
      expect(block.fallback.action).toBe("escalate");
    }
  });

  test("carries blocks for the other protocols that load when they are uncommented", () => {
    const lines = DEFAULT_POLICY.split("\n");
    const start = lines.findIndex((line) => line.startsWith("# Amazon Web Services"));
    const uncommented = lines.slice(start).map((line) => line.replace(/^# (?= {2}|[a-z]+:$)|^#$/, ""));
    const parsed = parsePolicy(uncommented.join("\n"));
    if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
    expect(parsed.warnings).toEqual([]);
    expect([...parsed.policy.blocks.keys()]).toEqual(["aws", "github", "cloudflare", "ssh", "generic"]);
    expect(parsed.policy.blocks.get("generic")?.inspect).toEqual([]);
    // The same service under another name would otherwise pass unread.
    const rows: readonly (readonly [protocol: Protocol, ...hosts: readonly string[]])[] = [
      ["kubectl", "a.gr7.eu-west-1.eks.amazonaws.com", "a.gr7.cn-north-1.eks.amazonaws.com.cn"],
      ["kubectl", "c.azmk8s.io", "c.hcp.x.azmk8s.us", "c.azmk8s.cn", "c.gke.goog"],
      ["gcloud", "storage.googleapis.com", "compute.mtls.googleapis.com", "b.p.googleapis.com"],
      ["fly", "api.fly.io", "api.machines.dev", "registry.fly.io", "app.fly.dev"],
      ["aws", "sts.amazonaws.com", "s3.dualstack.eu-west-1.amazonaws.com", "ec2.eu-west-1.api.aws"],
      ["aws", "f.lambda-url.eu-west-1.on.aws", "public.ecr.aws", "ec2.cn-north-1.amazonaws.com.cn"],
      ["aws", "ec2.cn-north-1.api.amazonwebservices.com.cn", "sts.eusc-de-east-1.amazonaws.eu"],
      ["aws", "ec2.eusc-de-east-1.api.amazonwebservices.eu"],
      ["github", "api.github.com", "uploads.github.com", "github.com", "gist.github.com"],
      ["github", "codeload.github.com", "raw.githubusercontent.com", "ghcr.io", "npm.pkg.github.com"],
      ["github", "octo.ghe.com", "api.octo.ghe.com"],
      ["cloudflare", "api.cloudflare.com", "api.fed.cloudflare.com", "a.r2.cloudflarestorage.com"],
      ["cloudflare", "a.eu.r2.cloudflarestorage.com"],
    ];
    expect(routeOf(policyOf(DEFAULT_POLICY), CLUSTER_IPV6)?.protocol).toBe("kubectl");
    const full = policyOf(`${lines.slice(0, start).join("\n")}\n${uncommented.join("\n")}`);
    for (const [protocol, ...hosts] of rows)
      for (const host of hosts)
        expect([host, routeOf(full, { host, port: 443 })?.protocol]).toEqual([host, protocol]);
  });

  test("carries scope lists that load when they are uncommented", () => {
    const uncommented = DEFAULT_POLICY.replace(/^ {2}# ((?:namespaces|projects):| )/gm, "  $1");
    const { blocks } = policyOf(uncommented);
    expect(blocks.get("kubectl")?.scopes.map((one) => one.keyword)).toEqual(["namespaces"]);
    expect(blocks.get("gcloud")?.scopes.map((one) => one.keyword)).toEqual(["projects"]);
  });
});
