// A real kubectl with the overlay kubeconfig of a cluster whose tokens iddio mints: the overlay
// holds a placeholder, the cluster sees the service account of each request's tier, also in an
// exec.

import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findClient, runClient } from "../support/clients.ts";
import { startCluster } from "../support/cluster/cluster.ts";
import { kubeconfigText } from "../support/cluster/kubeconfig-text.ts";
import { startGatewayProcess } from "../support/gateway.ts";

setDefaultTimeout(300_000);

const POLICY = `kubectl:
  inspect: ["*.eks.amazonaws.com"]
  default: allow
  groups: { all: { tiers: [observe, modify, sensitive, break-glass] } }
  rules: { allow: { groups: [all] } }
`;

const kubectl = findClient("kubectl");
if (kubectl !== undefined)
  for (const how of ["token", "certificate"] as const)
    test(`the operator has a ${how}, the agent a placeholder`, async () => {
      await using cluster = await startCluster();
      await using gateway = await startGatewayProcess({ policy: POLICY });
      const original = join(gateway.home, "operator.kubeconfig");
      await writeFile(original, kubeconfigText(cluster, how), { mode: 0o600 });
      const direct = (...args: string[]) =>
        runClient(kubectl, args, { env: { HOME: gateway.home, KUBECONFIG: original } });
      for (const account of ["writer", "reader"])
        expect((await direct("create", "serviceaccount", account)).code).toBe(0);
      const operator = { env: { KUBECONFIG: original } };
      expect((await gateway.run(["kubeconfig"], operator)).code).toBe(0);
      const added = await gateway.run(
        [
          ...["credentials", "add", "kubernetes", "prod", "--context", "stand-in", "--ttl", "10m"],
          ...["--service-account", "payments/writer", "--tier", "observe=payments/reader"],
        ],
        operator,
      );
      expect(added).toMatchObject({ code: 0 });
      expect((await gateway.run(["kubeconfig"], operator)).code).toBe(0);
      const overlay = join(gateway.home, "kubeconfig");
      const text = await Bun.file(overlay).text();
      expect(text.includes(cluster.token)).toBe(false);
      expect(text).not.toContain("client-certificate");
      // No client certificate is lent to this context any more.
      expect(text).not.toContain("//iddio:");
      const agent = (...args: string[]) =>
        runClient(kubectl, args, { env: { HOME: gateway.home, KUBECONFIG: overlay } });
      const whoami = await agent("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}");
      expect(whoami).toMatchObject({ code: 0, stdout: "system:serviceaccount:payments:reader" });
      expect(await agent("exec", "api", "--", "sh", "-c", "echo ran")).toMatchObject({
        code: 0,
        stdout: "ran\n",
      });
      const [exec] = cluster.requests.matching({ target: /exec/ });
      expect(exec?.user?.name).toBe("system:serviceaccount:payments:writer");
      const rows = JSON.stringify(await gateway.rows());
      for (const token of [...cluster.tokens.all, cluster.token]) expect(rows.includes(token)).toBe(false);
      expect((await gateway.run(["credentials", "revoke", "prod"])).stdout).toContain("has ended");
      for (const token of cluster.tokens.all) expect(cluster.tokens.userOf(token)).toBeUndefined();
    });
