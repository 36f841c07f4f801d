import { describe, expect, test } from "bun:test";
import type { Header } from "../../../src/model/request.ts";
import { awsCatalogue, cliOperationName } from "../../../src/protocols/aws/catalogue.ts";
import { exceptionActions } from "../../../src/protocols/aws/exceptions.ts";
import { readOperation } from "../../../src/protocols/aws/operation.ts";
import { awsTier } from "../../../src/protocols/aws/tier.ts";

const { byCli, byHost } = awsCatalogue();
test("the catalogue is whole", () => {
  expect(byCli.size).toBeGreaterThan(440);
  const operations = [...byCli.values()].reduce((sum, api) => sum + api.operations().size, 0);
  expect(operations).toBeGreaterThan(19_000);
  for (const api of byCli.values()) {
    expect(api.cli).toMatch(/^[a-z][a-z0-9-]*$/);
    for (const { name, level } of api.operations().values()) {
      expect(name).toMatch(/^[A-Z][A-Za-z0-9]*$/);
      expect(["list", "read", "write", "tagging", "permissions", "-"]).toContain(level);
    }
  }
});

describe("every operation is found by a request to a host of its API", () => {
  const body = { kind: "none" } as const;

  test("by its REST binding", () => {
    for (const api of byCli.values())
      for (const operation of api.cli === "s3api" ? [] : api.operations().values())
        for (const binding of operation.bindings) {
          const group = byHost.get(api.hosts.find((host) => byHost.has(host)) ?? "");
          if (group === undefined) throw new Error(`no host leads to ${api.cli}`);
          const [path = "", query] = binding.path.split("?");
          const filled = path.replaceAll("{}", "exa-mple").replaceAll("{+}", "some/thing");
          const reading = readOperation(
            { method: binding.method, path: filled, query, headers: [], body },
            group,
          );
          if (reading.kind !== "found" || !reading.operations.includes(operation))
            throw new Error(`${api.cli} ${operation.name} ${binding.path}: ${reading.kind}`);
        }
  });

  test("by its name", () => {
    for (const api of byCli.values()) {
      if (api.hasRest && !api.hasQuery) continue;
      for (const operation of api.operations().values()) {
        const group = byHost.get(api.hosts[0] ?? "");
        if (group === undefined) throw new Error(`no host leads to ${api.cli}`);
        const headers: Header[] = [
          ["X-Amz-Target", `${api.targets[0]}.${operation.name}`],
          ["Content-Type", "application/x-amz-json-1.1"],
        ];
        const reading = api.hasQuery
          ? readOperation(
              { method: "GET", path: "/", query: `Action=${operation.name}`, headers: [], body },
              group,
            )
          : readOperation({ method: "POST", path: "/", query: undefined, headers, body }, group);
        if (reading.kind !== "found" || !reading.operations.includes(operation))
          throw new Error(`${api.cli} ${operation.name}: ${reading.kind}`);
      }
    }
  });
});

describe("tiers keep their order over the whole catalogue", () => {
  const all = [...byCli.values()].flatMap((api) => [...api.operations().values()]);
  const named = (pattern: RegExp) => all.filter((operation) => pattern.test(operation.name));

  test("permissions management and writes to IAM are break-glass", () => {
    for (const one of all)
      if (one.level === "permissions" || (one.api.iam === "iam" && one.level === "write"))
        expect([one.api.cli, one.name, awsTier(one).tier]).toEqual([one.api.cli, one.name, "break-glass"]);
  });

  test("a deletion is at least sensitive", () => {
    for (const one of named(/^(?:Batch)?(?:Delete|Terminate|Purge)[A-Z]/))
      if (one.level === "write")
        expect([one.api.cli, one.name, ["sensitive", "break-glass"].includes(awsTier(one).tier)]).toEqual([
          one.api.cli,
          one.name,
          true,
        ]);
  });

  test("of what IAM calls a write only inference, login and made-up passwords are observed", () => {
    const observed = all.filter(
      (one) => /^(?:write|tagging)$/.test(one.level) && awsTier(one).tier === "observe",
    );
    expect(observed.map((one) => `${one.api.iam}:${one.name}`)).toEqual([]);
  });

  test("lists and plain reads are observed, but for credentials", () => {
    const held = all.filter((one) => /^(?:list|read)$/.test(one.level) && awsTier(one).tier !== "observe");
    expect(held.length).toBeLessThan(90);
    for (const one of held) expect(["modify", "sensitive", "break-glass"]).toContain(awsTier(one).tier);
  });

  test("every exception is about an operation that exists", () => {
    const known = new Set(all.flatMap((one) => [`${one.api.iam}:${one.name}`]));
    // Actions without an operation of their own in the models.
    for (const action of ["ec2-instance-connect:OpenTunnel"]) known.add(action);
    expect(exceptionActions().filter((action) => !known.has(action))).toEqual([]);
  });
});

test("operations are spelled as the AWS CLI does", () => {
  for (const [name, want] of [
    ["TerminateInstances", "terminate-instances"],
    ["CreateDBCluster", "create-db-cluster"],
    ["ListWebACLs", "list-web-acls"],
    ["SwapEnvironmentCNAMEs", "swap-environment-cnames"],
    ["AssignIpv6Addresses", "assign-ipv6-addresses"],
    ["DescribeVpcs", "describe-vpcs"],
    ["CreateCachediSCSIVolume", "create-cached-iscsi-volume"],
    ["ListHITsForQualificationType", "list-hits-for-qualification-type"],
    ["ListObjectsV2", "list-objects-v2"],
    ["CreateAutoMLJob", "create-auto-ml-job"],
    ["GetWhatsAppMessageMedia", "get-whatsapp-message-media"],
  ] as const)
    expect([name, cliOperationName(name)]).toEqual([name, want]);
});
