// A real terraform, through the compiled gateway, to stand-ins for a module registry, a state
// backend and HCP Terraform. What a provider sends is its cloud's protocol and not looked at here.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Finished, findClient } from "../support/clients.ts";
import { type Scene, startScene } from "../support/stand-ins/scene.ts";
import {
  type KeptState,
  TERRAFORM_HOSTS,
  TERRAFORM_TOKEN,
  terraform,
} from "../support/stand-ins/terraform.ts";

setDefaultTimeout(300_000);

const POLICY = `
terraform:
  inspect: [registry.terraform.io, app.terraform.io, tfstate.example.com]
  default: escalate
  groups:
    read: { tiers: [observe] }
    locks: { commands: [LOCK, UNLOCK] }
    write: { tiers: [modify] }
    worst: { tiers: [sensitive, break-glass] }
  rules:
    allow: { groups: [read, locks] }
    escalate: { groups: [write] }
    deny: { groups: [worst] }
`;

const ROOT_MODULE = `
terraform {
  backend "http" {
    address        = "https://tfstate.example.com/prod"
    lock_address   = "https://tfstate.example.com/prod"
    unlock_address = "https://tfstate.example.com/prod"
  }
}
module "net" {
  source = "acme/net/aws"
}
resource "terraform_data" "greeting" {
  input = "ö 🦆 \${module.net.cidr}"
}
`;
const CLOUD_MODULE = `
terraform {
  cloud {
    organization = "acme"
    workspaces {
      tags = ["app"]
    }
  }
}
`;

const found = findClient("terraform");
if (found !== undefined)
  describe("terraform", () => {
    let scene: Scene;
    const state: KeptState = { body: undefined, lock: undefined };

    const start = (module: string, ...args: string[]): Promise<Finished> =>
      scene.run(found, args, {
        cwd: join(scene.home, module),
        env: {
          CHECKPOINT_DISABLE: "1",
          TF_IN_AUTOMATION: "1",
          TF_INPUT: "0",
          TF_CLI_ARGS: "-no-color",
          TF_TOKEN_app_terraform_io: TERRAFORM_TOKEN,
        },
      });

    beforeAll(async () => {
      const archive = await new Bun.Archive(
        { "main.tf": 'output "cidr" { value = "10.0.0.0/8" }\n' },
        { compress: "gzip" },
      ).bytes();
      scene = await startScene({
        hosts: TERRAFORM_HOSTS,
        vendor: terraform(archive, state),
        policy: POLICY,
        settings: "approval_timeout: 45s\n",
      });
      for (const [module, text] of [
        ["root", ROOT_MODULE],
        ["cloud", CLOUD_MODULE],
      ] as const) {
        await mkdir(join(scene.home, module));
        await scene.file(`${module}/main.tf`, text);
      }
    });
    afterAll(() => scene?.[Symbol.asyncDispose]());

    test("init fetches a module from its registry, over HTTP/2, and plan locks and unlocks, without a question", async () => {
      const init = await start("root", "init");
      expect(init).toMatchObject({ code: 0, stderr: "" });
      const plan = await start("root", "plan");
      expect(plan).toMatchObject({ code: 0, stdout: expect.stringContaining("1 to add") });
      expect(new Set(scene.standIn.requests.map(({ version }) => version))).toEqual(new Set(["2"]));
      expect(scene.reached(/tfstate/).map(({ method }) => method)).toEqual(["GET", "LOCK", "GET", "UNLOCK"]);
      const rows = await scene.gateway.rows();
      expect(rows.filter(({ fields }) => fields.approval_id !== undefined)).toEqual([]);
    });

    test("apply writes its state once it may, and the state arrives as its checksum says", async () => {
      const applied = start("root", "apply", "-auto-approve");
      expect(await scene.held(applied)).toMatchObject({ method: "POST", tier: "modify" });
      expect(state.body).toBeUndefined();
      await scene.approve(applied);
      expect(await applied).toMatchObject({ code: 0, stdout: expect.stringContaining("1 added") });
      expect(new TextDecoder().decode(state.body)).toContain("ö 🦆 10.0.0.0/8");
      expect(scene.reached(/^POST https:\/\/tfstate/).length).toBe(1);
      expect(state.lock).toBeUndefined();
    });

    test("a state that a person does not let it write, it keeps beside the module", async () => {
      const before = state.body;
      const destroyed = start("root", "destroy", "-auto-approve");
      await scene.deny(destroyed, "not today");
      const { code, stderr } = await destroyed;
      expect(code).toBe(1);
      expect(stderr).toContain("HTTP error: 403");
      expect(stderr).toContain("errored.tfstate");
      expect(state.body).toBe(before);
      expect(state.lock).toBeUndefined();
    });

    test("HCP Terraform: reads pass, both writes for a workspace wait, and a refusal is printed with its rule", async () => {
      expect(await start("cloud", "init")).toMatchObject({ code: 0 });
      const made = start("cloud", "workspace", "new", "fresh");
      expect(await scene.approve(made)).toMatchObject({
        method: "POST",
        path: "/api/v2/organizations/acme/workspaces",
      });
      // It then says which version of terraform made it.
      expect(await scene.approve(made, ({ method }) => method === "PATCH")).toMatchObject({ tier: "modify" });
      expect(await made).toMatchObject({ code: 0, stdout: expect.stringContaining('"fresh"') });
      const refused = start("cloud", "workspace", "new", "other");
      await scene.deny(refused, "one is enough");
      expect((await refused).stderr.replace(/\s+/g, " ")).toMatch(
        /refused by iddio iddio: a person denied 'POST' \(appr_[0-9a-f]{8}\) \(tier modify, rule terraform\.rules\.escalate\.groups\[0\]\): one is enough;/,
      );
    });
  });
