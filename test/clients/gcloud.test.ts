// Real gcloud and bq, through the compiled gateway, to a stand-in for Google Cloud under its real
// names. What is asserted is what the person sees, what waits, and what arrives.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Finished, findClient } from "../support/clients.ts";
import { type ForkedProgram, startForkedProgram } from "../support/programs/forked-program.ts";
import { GCLOUD_HOSTS, GCLOUD_TOKEN, gcloud } from "../support/stand-ins/gcloud.ts";
import { type Scene, startScene } from "../support/stand-ins/scene.ts";
import { bodyText, field } from "../support/stand-ins/stand-in.ts";

// Its Python takes a second of processor time to start, and more beside others.
setDefaultTimeout(120_000);

const POLICY = `
gcloud:
  inspect: ["*.googleapis.com"]
  default: escalate
  groups:
    read: { tiers: [observe] }
    write: { tiers: [modify, sensitive] }
    worst: { tiers: [break-glass] }
  projects:
    - names: [acme-frozen]
      rules:
        allow: { groups: [read] }
        deny: { groups: [write, worst] }
  rules:
    allow: { groups: [read] }
    escalate: { groups: [write] }
    deny: { groups: [worst] }
`;

const programs = { gcloud: findClient("gcloud"), bq: findClient("bq") };

describe("Google Cloud", () => {
  let scene: Scene;
  let forked: ForkedProgram | undefined;
  let environment: Record<string, string>;
  const objects = new Map<string, Uint8Array>();

  beforeAll(async () => {
    scene = await startScene({
      hosts: GCLOUD_HOSTS,
      vendor: gcloud(objects),
      policy: POLICY,
      settings: "approval_timeout: 60s\n",
    });
    environment = {
      CLOUDSDK_CONFIG: join(scene.home, "gcloud"),
      CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: await scene.file("token", GCLOUD_TOKEN),
      CLOUDSDK_CORE_PROJECT: "acme-prod",
      CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: "1",
      CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: "1",
    };
    // Its wrapper starts Python with -S otherwise, which would not read what forks it.
    const env = { ...scene.shell, ...environment, CLOUDSDK_PYTHON_SITEPACKAGES: "1" };
    if (programs.gcloud !== undefined)
      forked = await startForkedProgram(programs.gcloud, {
        env,
        warm: [["version"], ["compute", "instances", "list", "--filter=("]],
      });
  });
  afterAll(async () => {
    await forked?.[Symbol.asyncDispose]();
    await scene?.[Symbol.asyncDispose]();
  });

  if (programs.gcloud !== undefined)
    describe("gcloud", () => {
      const start = (...args: string[]): Promise<Finished> =>
        scene.run(forked ?? "", args, { env: environment });

      test("a list passes without a question", async () => {
        const { code, stdout } = await start("compute", "instances", "list", "--format=value(name,zone)");
        expect({ code, stdout }).toEqual({ code: 0, stdout: "web-1\tus-central1-a\nweb-2\tus-central1-a\n" });
        const rows = await scene.gateway.rowsWhen((all) => all.some(({ op }) => op === "mitm"));
        expect(rows.map(({ op }) => op).filter((op) => op !== "control")).toEqual(["mitm"]);
      });

      test("with a placeholder in place of a token it does the same, and the placeholder is worth nothing at Google", async () => {
        const { gateway } = scene;
        const path = join(gateway.home, "google-token");
        await writeFile(path, GCLOUD_TOKEN, { mode: 0o600 });
        const added = await gateway.run([
          ...["credentials", "add", "google", "acme", "--from", "file", "--path", path],
        ]);
        expect(added).toMatchObject({ code: 0 });
        const { placeholders } = await gateway.control.call("credentials_placeholders", {});
        const token = placeholders[0]?.environment.CLOUDSDK_AUTH_ACCESS_TOKEN ?? "";
        const { CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: _, ...others } = environment;
        const before = scene.standIn.requests.length;
        const { code, stdout } = await scene.run(
          forked ?? "",
          ["compute", "instances", "list", "--format=value(name,zone)"],
          { env: { ...others, CLOUDSDK_AUTH_ACCESS_TOKEN: token } },
        );
        await gateway.run(["credentials", "remove", "acme"]);
        expect({ code, stdout }).toEqual({ code: 0, stdout: "web-1\tus-central1-a\nweb-2\tus-central1-a\n" });
        const arrived = scene.standIn.requests.slice(before).map((each) => field(each, "authorization"));
        expect(new Set(arrived)).toEqual(new Set([`Bearer ${GCLOUD_TOKEN}`]));
      });

      test("three deletions in one batch are one question, and arrive once when it is answered", async () => {
        const names = ["web-1", "web-2", "web-3"];
        const deleted = start("compute", "instances", "delete", ...names, "--zone=us-central1-a");
        const approval = await scene.held(deleted);
        expect(approval).toMatchObject({
          tier: "sensitive",
          method: "POST",
          path: "/batch/compute/v1",
          labels: { project: "acme-prod", zone: "us-central1-a" },
        });
        expect(approval.command).toContain("compute.instances.delete");
        expect(scene.reached(/batch/).length).toBe(0);
        await scene.approve(deleted);
        const { code, stderr } = await deleted;
        expect(code).toBe(0);
        for (const name of names)
          expect(stderr).toContain(
            `Deleted [https://www.googleapis.com/compute/v1/projects/acme-prod/zones/us-central1-a/instances/${name}]`,
          );
        const batches = scene
          .reached(/batch/)
          .map((request) => bodyText(request).match(/^DELETE .*/gm)?.length);
        expect(batches).toEqual([3]);
      });

      test("add-iam-policy-binding reads the policy, and is refused where it would write it", async () => {
        const { code, stderr } = await start(
          "projects",
          "add-iam-policy-binding",
          "acme-prod",
          "--member=user:b@x",
          "--role=roles/owner",
        );
        expect(code).toBe(1);
        expect(stderr).toContain(
          "iddio refused 'cloudresourcemanager.projects.setIamPolicy' by policy (tier break-glass, rule gcloud.rules.deny.groups[0])",
        );
        const asked = scene.standIn.requests
          .map(({ target }) => target)
          .filter((target) => /Iam/.test(target));
        expect(asked).toEqual(["/v1/projects/acme-prod:getIamPolicy?alt=json"]);
      });

      test("an upload of 9 MB waits for its beginning and for its content, which arrives as it is", async () => {
        const content = randomBytes(9_000_001);
        const file = await scene.file("big.bin", content);
        const uploaded = start("storage", "cp", file, "gs://acme-data/big.bin");
        for (const method of ["POST", "PUT"])
          expect(await scene.approve(uploaded, (approval) => approval.method === method)).toMatchObject({
            tier: "modify",
            command: "storage.objects.insert",
          });
        expect((await uploaded).code).toBe(0);
        expect(content.equals([...objects.values()][0] ?? Buffer.of())).toBe(true);
        expect(scene.reached(/^PUT/).length).toBe(1);
      });

      test("what a person denies is gcloud's own error, with the person's words", async () => {
        const read = start("secrets", "versions", "access", "latest", "--secret=db");
        await scene.deny(read, "ask Ada");
        const { code, stdout, stderr } = await read;
        expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
        expect(stderr).toMatch(
          /^ERROR: \(gcloud\.secrets\.versions\.access\).* iddio: a person denied 'secretmanager\.projects\.secrets\.versions\.access' \(appr_[0-9a-f]{8}\) \(tier sensitive, rule gcloud\.rules\.escalate\.groups\[0\]\): ask Ada; do not retry/,
        );
        expect(scene.reached(/secretmanager/).length).toBe(0);
      });
    });

  if (programs.bq !== undefined)
    test("bq lists, and prints why a dataset of a frozen project may not be removed", async () => {
      const program = programs.bq ?? "";
      // Each start of it costs two of Python's: its shell takes both commands.
      const input = "ls\nrm -f -d acme-frozen:orders\nquit\n";
      const { stdout, stderr } = await scene.run(program, ["--project_id=acme-prod", "shell"], {
        env: environment,
        input,
      });
      expect(stdout).toContain("orders");
      expect(`${stdout}${stderr}`.replace(/\s+/g, " ")).toContain(
        "iddio refused 'bigquery.datasets.delete' by policy (tier sensitive, rule gcloud.projects[0].rules.deny.groups[0])",
      );
    });
});
