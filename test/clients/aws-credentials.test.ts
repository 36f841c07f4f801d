// A real aws CLI that has placeholder keys only, through the compiled gateway, to a stand-in that
// takes signatures of the real key alone: in each wire protocol, uploads with a checksum at their
// end and in parts, and signed URLs.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Finished, findClient } from "../support/clients.ts";
import { AWS_ACCESS_KEY, AWS_REGION, AWS_SECRET_KEY, aws } from "../support/stand-ins/aws.ts";
import { type Scene, startScene } from "../support/stand-ins/scene.ts";
import { checkSignature } from "../support/stand-ins/sigv4.ts";
import { field } from "../support/stand-ins/stand-in.ts";

setDefaultTimeout(90_000);

const POLICY = `
aws:
  inspect: ["*.amazonaws.com"]
  default: allow
  groups: { all: { tiers: [observe, modify, sensitive, break-glass] } }
  accounts:
    - names: ["111122223333"]
      rules: { allow: { groups: [all] } }
  rules: { deny: { groups: [all] } }
`;
const FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:shop";
const HOSTS = [
  ...["sts", "ec2", "dynamodb", "lambda"].map((service) => `${service}.${AWS_REGION}.amazonaws.com`),
  "route53.amazonaws.com",
  "scratch.s3.amazonaws.com",
];
const TOKEN = "session-token-canary/+=0123456789";

const found = findClient("aws");
const curl = findClient("curl");
if (found !== undefined)
  describe("aws with placeholder keys", () => {
    let scene: Scene;
    const objects = new Map<string, Uint8Array>();
    let environment: Record<string, string> = {};

    const start = (...args: string[]): Promise<Finished> =>
      scene.run(found, args, {
        env: { ...environment, AWS_DEFAULT_REGION: AWS_REGION, AWS_EC2_METADATA_DISABLED: "true" },
      });

    beforeAll(async () => {
      const answer = aws(objects);
      scene = await startScene({
        hosts: HOSTS,
        policy: POLICY,
        vendor: (request) => {
          const { accessKey } = checkSignature(request, AWS_SECRET_KEY);
          const token = field(request, "x-amz-security-token") ?? request.query.get("X-Amz-Security-Token");
          return accessKey === AWS_ACCESS_KEY && token === TOKEN
            ? answer(request)
            : { status: 403, body: "no" };
        },
      });
      const path = join(scene.gateway.home, "keys");
      await writeFile(path, `${AWS_ACCESS_KEY}:${AWS_SECRET_KEY}:${TOKEN}`, { mode: 0o600 });
      const { code, stderr } = await scene.gateway.run([
        ...["credentials", "add", "aws", "prod", "--from", "file", "--path", path],
      ]);
      expect({ code, stderr }).toMatchObject({ code: 0 });
      const { stdout } = await scene.gateway.run(["credentials", "env"]);
      environment = Object.fromEntries(
        [...stdout.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name = "", value = ""]) => [name, value]),
      );
      expect(Object.keys(environment).sort()).toEqual(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
    });
    afterAll(() => scene?.[Symbol.asyncDispose]());

    for (const [protocol, args, text] of [
      ["the query protocol", ["sts", "get-caller-identity"], "arn:aws:iam::111122223333:user/operator"],
      ["EC2's protocol", ["ec2", "describe-instances"], "i-0abc"],
      [
        "EC2's protocol, a write",
        ["ec2", "create-tags", "--resources", "i-0abc", "--tags", "Key=o,Value=ö+ 1"],
        "",
      ],
      ["JSON", ["dynamodb", "list-tables"], "orders"],
      ["REST with JSON", ["lambda", "get-function", "--function-name", FUNCTION], "shop"],
      ["REST with XML", ["route53", "list-hosted-zones"], "acme.example."],
    ] as const)
      test.concurrent(`in ${protocol}`, async () => {
        const { code, stdout, stderr } = await start(...args, "--output", "text");
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        expect(stdout).toContain(text);
      });

    test("uploads to S3: chunked with a checksum at its end, in parts, and back", async () => {
      for (const size of [100_003, 20_000_017]) {
        const content = randomBytes(size);
        const file = await scene.file("content.bin", content);
        const uploaded = await start("s3", "cp", "--no-progress", file, "s3://scratch/a b/c+d//ü");
        expect(uploaded).toMatchObject({ code: 0, stderr: "" });
        expect(content.equals(objects.get("scratch/a%20b/c%2Bd//%C3%BC") ?? Buffer.of())).toBe(true);
        const back = await start("s3", "cp", "--no-progress", "s3://scratch/a b/c+d//ü", "-");
        expect(back.code).toBe(0);
      }
      const [put] = scene.reached(/^PUT/);
      expect(put && field(put, "x-amz-content-sha256")).toBe("STREAMING-UNSIGNED-PAYLOAD-TRAILER");
      expect(await start("s3", "ls", "s3://scratch/")).toMatchObject({ code: 0, stderr: "" });
    });

    if (curl !== undefined)
      test("a signed URL works through iddio", async () => {
        objects.set("scratch/hello.txt", Buffer.from("hello"));
        const config = await scene.file("aws-config", "[default]\ns3 =\n  signature_version = s3v4\n");
        environment = { ...environment, AWS_CONFIG_FILE: config };
        const url = (await start("s3", "presign", "s3://scratch/hello.txt")).stdout.trim();
        const fetched = await scene.run(curl, [
          "--silent",
          "--cacert",
          join(scene.gateway.home, "ca-bundle.pem"),
          url,
        ]);
        expect(fetched.stdout).toBe("hello");
      });

    test("the keys are worth nothing to AWS itself, and what another secret signed goes nowhere", async () => {
      const direct = scene.standIn.requests.length;
      const wrong = { ...environment, AWS_SECRET_ACCESS_KEY: "x".repeat(40) };
      const { code, stderr } = await scene.run(found, ["sts", "get-caller-identity"], {
        env: { ...wrong, AWS_DEFAULT_REGION: AWS_REGION, AWS_EC2_METADATA_DISABLED: "true" },
      });
      expect(code).not.toBe(0);
      expect(stderr).toContain("has a signature that the placeholder's secret does not make");
      expect(scene.standIn.requests.length).toBe(direct);
    });

    test("neither secret nor token is in what the daemon writes", async () => {
      const files = await Promise.all(
        ["audit.jsonl", "iddio.log", "state.db", "state.db-wal", "gateway.out"].map((name) =>
          Bun.file(join(scene.gateway.home, name))
            .text()
            .catch(() => ""),
        ),
      );
      for (const secret of [AWS_SECRET_KEY, TOKEN, environment.AWS_SECRET_ACCESS_KEY ?? ""])
        expect(files.join("").includes(secret)).toBe(false);
    });
  });
