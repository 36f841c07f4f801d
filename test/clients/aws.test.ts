// A real aws CLI, through the compiled gateway, to a stand-in for AWS under its real names. The
// stand-in checks every signature, so whatever it answered arrived unchanged. What is asserted is
// what the person sees, what waits, and what arrives, in each of AWS's wire protocols.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Entry } from "../../src/model/entry.ts";
import { type Finished, findClient } from "../support/clients.ts";
import { type ForkedProgram, startForkedProgram } from "../support/programs/forked-program.ts";
import {
  AWS_ACCESS_KEY,
  AWS_REGION,
  AWS_SECRET_KEY,
  AWS_WARM,
  aws,
  OWN_STORE,
} from "../support/stand-ins/aws.ts";
import { type Scene, startScene } from "../support/stand-ins/scene.ts";
import { field } from "../support/stand-ins/stand-in.ts";

setDefaultTimeout(300_000);

// One region is frozen, one bucket is free, elsewhere reads pass, writes wait and the worst is refused.
const POLICY = `
aws:
  inspect: ["*.amazonaws.com", ${OWN_STORE}]
  default: escalate
  groups:
    read: { tiers: [observe] }
    write: { tiers: [modify, sensitive] }
    worst: { tiers: [break-glass] }
    zones: { commands: [route53 delete-hosted-zone] }
  regions:
    - names: [eu-west-1]
      rules:
        allow: { groups: [read] }
        deny: { groups: [write, worst] }
  buckets:
    - names: [scratch]
      rules: { allow: { groups: [read, write] } }
  rules:
    allow: { groups: [read] }
    escalate: { groups: [write] }
    deny: { groups: [worst, zones] }
`;

const FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:shop";
const HOSTS = [
  ...["sts", "ec2", "dynamodb", "lambda"].map((service) => `${service}.${AWS_REGION}.amazonaws.com`),
  "route53.amazonaws.com",
  "acme-prod.s3.amazonaws.com",
  "scratch.s3.amazonaws.com",
  OWN_STORE,
];

const found = findClient("aws");
if (found !== undefined)
  describe("aws", () => {
    let scene: Scene;
    let program: ForkedProgram;
    const objects = new Map<string, Uint8Array>();
    const env = {
      AWS_ACCESS_KEY_ID: AWS_ACCESS_KEY,
      AWS_SECRET_ACCESS_KEY: AWS_SECRET_KEY,
      AWS_DEFAULT_REGION: AWS_REGION,
      AWS_EC2_METADATA_DISABLED: "true",
    };

    const start = (...args: string[]): Promise<Finished> => scene.run(program, args, { env });

    beforeAll(async () => {
      scene = await startScene({
        hosts: HOSTS,
        vendor: aws(objects),
        policy: POLICY,
        settings: "approval_timeout: 45s\n",
      });
      program = await startForkedProgram(found, { env: { ...scene.shell, ...env }, warm: AWS_WARM });
    });
    afterAll(async () => {
      await program?.[Symbol.asyncDispose]();
      await scene?.[Symbol.asyncDispose]();
    });

    describe("reads pass without a question", () => {
      const READS: [string, string[], string][] = [
        ["the query protocol", ["sts", "get-caller-identity"], "arn:aws:iam::111122223333:user/operator"],
        ["EC2's protocol", ["ec2", "describe-instances"], "i-0abc"],
        ["JSON", ["dynamodb", "list-tables"], "orders"],
        ["REST with JSON", ["lambda", "get-function", "--function-name", FUNCTION], "shop"],
        ["REST with XML", ["route53", "list-hosted-zones"], "acme.example."],
      ];
      for (const [protocol, args, text] of READS)
        test.concurrent(`in ${protocol}`, async () => {
          const { code, stdout, stderr } = await start(...args, "--output", "text");
          expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
          expect(stdout).toContain(text);
        });
    });

    describe("a write waits, and arrives once and unchanged when it is allowed", () => {
      test("in EC2's protocol", async () => {
        const tagged = start("ec2", "create-tags", "--resources", "i-0abc", "--tags", "Key=owner,Value=ö+ 1");
        const approval = await scene.approve(tagged);
        expect(approval).toMatchObject({
          tier: "modify",
          command: "ec2 create-tags",
          labels: { account: "111122223333", region: AWS_REGION, service: "ec2" },
        });
        expect(await tagged).toEqual({ code: 0, stdout: "", stderr: "" });
        const arrived = scene.reached(/ec2/).filter(({ body }) => Buffer.from(body).includes("CreateTags"));
        expect(arrived.length).toBe(1);
      });

      test("in JSON", async () => {
        const item = '{"id":{"S":"1"},"note":{"S":"\\u202e naïve 🦆"}}';
        const put = start("dynamodb", "put-item", "--table-name", "orders", "--item", item);
        expect(await scene.approve(put)).toMatchObject({ command: "dynamodb put-item", tier: "modify" });
        expect(await put).toMatchObject({ code: 0, stderr: "" });
        const puts = scene.standIn.requests.filter((one) => field(one, "x-amz-target")?.endsWith("PutItem"));
        expect(puts.length).toBe(1);
      });

      test("an upload to S3, which expects 100-continue and is chunked with a checksum at its end", async () => {
        const content = randomBytes(100_003);
        const file = await scene.file("small.bin", content);
        const uploaded = start("s3", "cp", "--no-progress", file, "s3://acme-prod/a b/c+d//ü%2F..");
        expect(await scene.held(uploaded)).toMatchObject({
          command: "s3api put-object",
          path: "/a%20b/c%2Bd//%C3%BC%252F..",
          labels: { bucket: "acme-prod" },
        });
        expect(scene.reached(/^PUT/).length).toBe(0);
        await scene.approve(uploaded);
        expect(await uploaded).toMatchObject({ code: 0, stderr: "" });
        const [request, ...more] = scene.reached(/^PUT/);
        expect(more.length).toBe(0);
        const names = ["content-encoding", "x-amz-trailer", "x-amz-content-sha256"];
        expect(names.map((name) => request && field(request, name))).toEqual([
          "aws-chunked",
          "x-amz-checksum-crc32",
          "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        ]);
        expect(content.equals(objects.get("acme-prod/a%20b/c%2Bd//%C3%BC%252F..") ?? Buffer.of())).toBe(true);
      });
    });

    test("a file in parts of 8 MiB goes through a bucket that is free, and comes back the same", async () => {
      const content = randomBytes(20_000_017);
      const file = await scene.file("large.bin", content);
      expect(await start("s3", "cp", "--no-progress", file, "s3://scratch/large")).toMatchObject({
        code: 0,
        stderr: "",
      });
      const parts = scene.reached(/^PUT .*\/large\?.*partNumber=/);
      expect(parts.map((part) => field(part, "expect"))).toEqual(Array(3).fill("100-continue"));
      expect(content.equals(objects.get("scratch/large") ?? Buffer.of())).toBe(true);
      const back = join(scene.home, "back.bin");
      expect(await start("s3", "cp", "--no-progress", "s3://scratch/large", back)).toMatchObject({ code: 0 });
      expect(content.equals(await readFile(back))).toBe(true);
    });

    test("a store of one's own is asked about: what a signature claims gives labels and no tier", async () => {
      const own = ["--endpoint-url", `https://${OWN_STORE}`];
      const listed = start("s3", "ls", "s3://acme-prod/", ...own);
      const approval = await scene.deny(listed, "ask Ada");
      expect(approval).toMatchObject({ tier: "unknown", labels: { region: AWS_REGION } });
      expect(await listed).toMatchObject({
        stderr: expect.stringMatching(
          /calling the ListObjectsV2 operation: iddio: a person denied .*: ask Ada;/,
        ),
      });
    });

    describe("a refusal reads like an error of AWS, names the rule, and is not tried again", () => {
      const FROZEN = "rule aws.regions[0].rules.deny.groups[0]";
      const REFUSED: [string, string[], string, string][] = [
        [
          "the query protocol",
          ["iam", "create-access-key", "--user-name", "a"],
          "An error occurred (AccessDenied) when calling the CreateAccessKey operation: iddio refused 'iam create-access-key' by policy",
          "tier break-glass, rule aws.rules.deny.groups[0]",
        ],
        [
          "EC2's protocol",
          ["ec2", "terminate-instances", "--instance-ids", "i-0abc", "--region", "eu-west-1"],
          "An error occurred (UnauthorizedOperation) when calling the TerminateInstances operation: iddio refused 'ec2 terminate-instances' by policy",
          `tier sensitive, ${FROZEN}`,
        ],
        [
          "JSON 1.0",
          ["dynamodb", "delete-table", "--table-name", "orders", "--region", "eu-west-1"],
          "An error occurred (AccessDeniedException) when calling the DeleteTable operation: iddio refused 'dynamodb delete-table' by policy",
          `tier sensitive, ${FROZEN}`,
        ],
        [
          "JSON 1.1",
          ["secretsmanager", "get-secret-value", "--secret-id", "db", "--region", "eu-west-1"],
          "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: iddio refused 'secretsmanager get-secret-value' by policy",
          `tier sensitive, ${FROZEN}`,
        ],
        [
          "REST with JSON",
          ["lambda", "delete-function", "--function-name", "shop", "--region", "eu-west-1"],
          "An error occurred (AccessDeniedException) when calling the DeleteFunction operation: iddio refused 'lambda delete-function' by policy",
          `tier sensitive, ${FROZEN}`,
        ],
        [
          "REST with XML",
          ["route53", "delete-hosted-zone", "--id", "Z1"],
          "An error occurred (AccessDenied) when calling the DeleteHostedZone operation: iddio refused 'route53 delete-hosted-zone' by policy",
          "tier sensitive, rule aws.rules.deny.groups[1]",
        ],
        [
          "S3",
          ["s3api", "delete-bucket", "--bucket", "acme-eu", "--region", "eu-west-1"],
          "An error occurred (AccessDenied) when calling the DeleteBucket operation: iddio refused 's3api delete-bucket' by policy",
          `tier sensitive, ${FROZEN}`,
        ],
      ];
      for (const [protocol, args, message, rule] of REFUSED)
        test.concurrent(`in ${protocol}`, async () => {
          const { code, stderr } = await start(...args);
          expect(code).toBeGreaterThan(0);
          expect(stderr).toContain(message);
          expect(stderr).toContain(`(${rule})`);
        });

      test("each of them once", async () => {
        const commands = REFUSED.map(([, , message]) => /refused '(.*)'/.exec(message)?.[1]);
        const isOne = ({ fields }: Entry) => commands.includes(fields.command);
        const rows = (
          await scene.gateway.rowsWhen((all) => all.filter(isOne).length >= commands.length)
        ).filter(isOne);
        expect(rows.map(({ fields }) => fields.command).sort()).toEqual(commands.sort());
        for (const { op, fields } of rows) expect([op, fields.outcome]).toEqual(["block", "refused"]);
      });
    });
  });
