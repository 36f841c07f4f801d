import { describe, expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { terraformClassifier } from "../../../src/protocols/terraform/classify.ts";
import { requestOf } from "../request-of.ts";

function checkArgv(rows: readonly (readonly [line: string, tier: TierOrUnknown, command: string])[]): void {
  for (const [line, tier, command] of rows) {
    const answer = terraformClassifier.classifyArgv(line.split(" "));
    expect([line, answer.tier, answer.command]).toEqual([line, tier, command]);
  }
}

describe("command lines", () => {
  test("reading is observe, changing infrastructure or state is not", () => {
    checkArgv([
      ["terraform plan -out=plan.out", "observe", "plan"],
      ["terraform plan -destroy", "observe", "plan"],
      ["tofu show -json plan.out", "observe", "show"],
      ["terraform state list", "observe", "state list"],
      ["terraform validate", "observe", "validate"],
      ["terraform apply -auto-approve", "modify", "apply"],
      ["terraform init", "modify", "init"],
      ["terraform import aws_instance.a i-1", "modify", "import"],
      ["terraform workspace new dev", "modify", "workspace new"],
      ["terraform workspace delete dev", "sensitive", "workspace delete"],
      ["terraform state rm a.b", "sensitive", "state rm"],
      ["terraform state rm -dry-run a.b", "observe", "state rm"],
      ["terraform state pull", "sensitive", "state pull"],
      ["terraform force-unlock 1", "sensitive", "force-unlock"],
    ]);
  });

  test("tearing down is break-glass, by whichever command", () => {
    checkArgv([
      ["terraform destroy", "break-glass", "destroy"],
      ["terraform apply -destroy", "break-glass", "apply"],
      ["terraform apply --destroy -auto-approve", "break-glass", "apply"],
      ["terraform apply -destroy=true", "break-glass", "apply"],
      ["terraform apply -destroy=false", "modify", "apply"],
      ["tofu -chdir=infra/prod destroy", "break-glass", "destroy"],
      ["/usr/bin/terraform -chdir infra apply -var a=b -destroy", "break-glass", "apply"],
    ]);
  });

  test("outputs in clear may be secrets", () => {
    checkArgv([
      ["terraform output", "observe", "output"],
      ["terraform output -raw db_password", "sensitive", "output"],
      ["terraform output -json", "sensitive", "output"],
    ]);
  });

  test("help is help", () => {
    checkArgv([
      ["terraform", "observe", "help"],
      ["terraform -help", "observe", "help"],
      ["terraform destroy -help", "observe", "destroy"],
      ["terraform -version", "observe", "help"],
    ]);
  });

  test("what terraform does not have is unknown", () => {
    checkArgv([
      ["terraform frob", "unknown", "frob"],
      ["terraform state frob", "unknown", "state"],
      ["terraform plan -frob", "unknown", "plan"],
      ["terraform destroy -frob", "break-glass", "destroy"],
    ]);
  });
});

describe("hosts go by method", () => {
  const rows: readonly (readonly [line: string, tier: TierOrUnknown])[] = [
    ["GET https://providers.example/v1/providers/acme/cloud/versions", "observe"],
    ["GET https://state.example/prod", "observe"],
    ["POST https://state.example/prod", "modify"],
    ["LOCK https://state.example/prod", "modify"],
    ["UNLOCK https://state.example/prod", "modify"],
    ["DELETE https://state.example/prod", "sensitive"],
    ["POST https://app.terraform.io/api/v2/runs", "modify"],
    ["POST https://app.terraform.io/api/v2/teams/t/authentication-token", "break-glass"],
    ["POST https://app.terraform.io/api/v2/organizations/o/authentication%2Dtoken", "break-glass"],
    ["GET https://app.terraform.io/api/v2/teams/t/authentication-tokens", "observe"],
    ["FROB https://state.example/prod", "unknown"],
  ];
  for (const [line, tier] of rows)
    test(line, () => expect(terraformClassifier.classify(requestOf(line)).tier).toBe(tier));
});
