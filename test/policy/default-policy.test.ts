import { describe, expect, test } from "bun:test";
import { DEFAULT_POLICY } from "../../src/policy/default-policy.ts";
import { parsePolicy } from "../../src/policy/parse/parse.ts";
import { policyOf } from "../support/policy-cases.ts";

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
      ["kubectl", "*.eks.amazonaws.com", "*.gke.goog", "*.azmk8s.io"],
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
    expect([...parsed.policy.blocks.keys()]).toEqual(["aws", "github", "cloudflare", "generic"]);
    expect(parsed.policy.blocks.get("generic")?.inspect).toEqual([]);
    const hosts = (protocol: "aws" | "github") =>
      parsed.policy.blocks.get(protocol)?.inspect.map((one) => one.entry.text);
    // What answers for the same service under another name would otherwise pass unread.
    expect(hosts("aws")).toEqual(["*.amazonaws.com", "*.api.aws", "*.on.aws"]);
    expect(hosts("github")).toEqual([
      ...["api.github.com", "uploads.github.com", "github.com", "codeload.github.com"],
      ...["raw.githubusercontent.com", "ghcr.io", "*.ghe.com"],
    ]);
  });

  test("carries scope lists that load when they are uncommented", () => {
    const uncommented = DEFAULT_POLICY.replace(/^ {2}# ((?:namespaces|projects):| )/gm, "  $1");
    const { blocks } = policyOf(uncommented);
    expect(blocks.get("kubectl")?.scopes.map((one) => one.keyword)).toEqual(["namespaces"]);
    expect(blocks.get("gcloud")?.scopes.map((one) => one.keyword)).toEqual(["projects"]);
  });
});
