// What belongs to one run alone: `agents:` of the policy for its name, and the token of the overlay kubeconfig that it
// sees, which lends the operator's client certificate on its own connections and nowhere else.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { noSandbox, type Sandbox, startSandbox } from "../support/sandbox.ts";

const LONG_MS = 120_000;
const POLICY = `generic:
  inspect: ["*.seen.example"]
  default: escalate
  groups:
    write: { tiers: [modify] }
  rules: { deny: { groups: [write] } }
  agents:
    - names: ["ci-*"]
      rules: { allow: { groups: [write] } }
`;
const OVERLAY = (token: string, port: number) =>
  JSON.stringify({ clusters: [{ cluster: { "proxy-url": `http://iddio:${token}@127.0.0.1:${port}` } }] });

describe.if(noSandbox() === undefined)("what belongs to one run", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox({
      policy:
        'generic:\n  inspect: ["*.seen.example"]\n  default: allow\n  groups:\n    write: { tiers: [modify, sensitive, observe] }\n  agents:\n    - names: ["blocked-*"]\n      rules: { deny: { groups: [write] } }\n',
    });
    await sandbox.serve("a.seen.example");
  }, LONG_MS);
  afterAll(() => sandbox[Symbol.asyncDispose](), LONG_MS);

  const get = "curl -s -o /dev/null -w '%{http_code}' https://a.seen.example/";

  test(
    "`agents:` matches the name of a real run, and no other",
    async () => {
      expect((await sandbox.inside(get, { flags: ["--name", "blocked-1"] })).stdout).toBe("403");
      expect((await sandbox.inside(get, { flags: ["--name", "other"] })).stdout).toBe("200");
      const rows = await sandbox.rowsWhen((all) => all.some(({ fields }) => fields.client?.run === "other"));
      expect(
        rows.find(({ fields }) => fields.client?.run === "blocked-1" && fields.decision)?.fields,
      ).toMatchObject({
        decision: "deny",
        labels: { agent: "blocked-1" },
      });
    },
    LONG_MS,
  );

  test(
    "what lets more through counts only for a run that was started with presence",
    async () => {
      await sandbox.write(join(sandbox.state, "policy.yaml"), POLICY);
      await sandbox.control.call("policy_reload", {});
      const post = `${get.replace("curl", "curl -X POST -d x")}`;
      const flags = ["--name", "ci-1"];
      expect((await sandbox.inside(post, { flags })).stdout).toBe("403");
      expect((await sandbox.inside(post, { flags: [...flags, "--with-presence"] })).stdout).toBe("200");
    },
    LONG_MS,
  );

  test(
    "the overlay's token is the run's own",
    async () => {
      const token = "operators-own-token";
      await sandbox.write(join(sandbox.state, "kubeconfig"), OVERLAY(token, sandbox.proxyPort));
      const seen = async (name: string) =>
        (await sandbox.inside('cat "$KUBECONFIG"', { flags: ["--name", name] })).stdout;
      const [one, two] = [await seen("one"), await seen("two")];
      expect(one).toMatch(/iddio:[0-9a-f]{64}@/);
      expect(one).not.toContain(token);
      expect(one).not.toBe(two);
    },
    LONG_MS,
  );
});
