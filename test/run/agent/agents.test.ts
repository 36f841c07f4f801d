// Things that belong to one run alone: `agents:` of the policy for its name, and the token of the
// overlay kubeconfig that it sees, which lends the operator's client certificate on its own
// connections and nowhere else.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { noSandbox, type Sandbox, startSandbox } from "../../support/sandbox/sandbox.ts";

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

  test(
    "credentials that iddio lends are placeholders of the run, whatever the person's own environment holds",
    async () => {
      const real = "ghp_realrealrealrealrealrealrealrealreal";
      await sandbox.write(join(sandbox.home, "token"), `${real}\n`);
      await sandbox.control.call("credentials_add", {
        name: "work",
        kind: "github",
        from: "file",
        path: join(sandbox.home, "token"),
      });
      const seen = async (flags: readonly string[]) =>
        (
          await sandbox.inside('echo "$GH_TOKEN $GITHUB_TOKEN"', {
            flags: [...flags],
            env: { GH_TOKEN: real, GITHUB_TOKEN: real },
          })
        ).stdout;
      const [one, two] = [await seen([]), await seen(["--profile", "ci"])];
      for (const text of [one, two]) {
        expect(text).toMatch(/^(ghp_[A-Za-z0-9]{36}) \1\n$/);
        expect(text).not.toContain(real);
      }
      expect(one).not.toBe(two);
      // git is given the same, for GitHub alone.
      const asked = (host: string) =>
        `printf 'protocol=https\\nhost=${host}\\n\\n' | GIT_TERMINAL_PROMPT=0 git credential fill; echo "$GH_TOKEN"`;
      expect((await sandbox.inside(asked("github.com"))).stdout).toMatch(
        /^username=x-access-token\npassword=(ghp_[A-Za-z0-9]{36})\n\1\n$/m,
      );
      expect((await sandbox.inside(asked("other.example"))).stdout).toMatch(/^ghp_[A-Za-z0-9]{36}\n$/);
      await sandbox.control.call("credentials_remove", { name: "work" });
      expect(await seen([])).toBe(" \n");
    },
    LONG_MS,
  );

  test(
    "runs of one program that start at the same time have names of their own",
    async () => {
      const done = await Promise.all(
        [1, 2, 3].map(() => sandbox.iddio(["run", "--", "/bin/sh", "-c", 'echo "$IDDIO_RUN"; sleep 1'])),
      );
      expect(done.map(({ stdout }) => stdout.trim()).sort()).toEqual(["sh", "sh-2", "sh-3"]);
    },
    LONG_MS,
  );
});
