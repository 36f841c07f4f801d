// A real aws CLI that has placeholder keys only, through the compiled gateway, to a stand-in that
// takes signatures of the real key alone: in each wire protocol, uploads with a checksum at their
// end and in parts, and signed URLs.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startHttpReceiver } from "../features/forward/receivers.ts";
import { type Finished, findClient } from "../support/clients.ts";
import { type ForkedProgram, startForkedProgram } from "../support/programs/forked-program.ts";
import { AWS_ACCESS_KEY, AWS_REGION, AWS_SECRET_KEY, AWS_WARM, aws } from "../support/stand-ins/aws.ts";
import { type Scene, startScene } from "../support/stand-ins/scene.ts";
import { checkSignature } from "../support/stand-ins/sigv4.ts";
import { field, type StandInReply, type StandInRequest } from "../support/stand-ins/stand-in.ts";

setDefaultTimeout(120_000);

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
const CLUSTER_POLICY = `
kubectl:
  inspect: ["*.eks.amazonaws.com"]
  default: allow
  groups: { read: { tiers: [observe] } }
  rules: { allow: { groups: [read] } }
`;
const FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:shop";
const CLUSTER = `0123456789abcdef.gr7.${AWS_REGION}.eks.amazonaws.com`;
const HOSTS = [
  ...["sts", "ec2", "dynamodb", "lambda"].map((service) => `${service}.${AWS_REGION}.amazonaws.com`),
  "route53.amazonaws.com",
  "scratch.s3.amazonaws.com",
];
const TOKEN = "session-token-canary/+=0123456789";

/** The keys that STS gives out when the agent itself asks for a role. */
const GIVEN = {
  AccessKeyId: "ASIARTX3GSDSQAGIVEN2",
  SecretAccessKey: "given/Secret+canary0123456789abcdefghijk",
  SessionToken: "given-token-canary/+=0123456789abcdefghijklm",
};
const ASSUMED = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>${Object.entries(
  { ...GIVEN, Expiration: "2036-01-01T00:00:00Z" },
)
  .map(([name, value]) => `<${name}>${value}</${name}>`)
  .join("")}</Credentials></AssumeRoleResult></AssumeRoleResponse>`;
const IDENTITY =
  "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::111122223333:assumed-role/x/yy</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>";

/** The same as AWS for whoever has the keys that were given out. */
function givenTo(request: StandInRequest, token: string | null | undefined): StandInReply {
  const { problem } = checkSignature(request, GIVEN.SecretAccessKey);
  const isRight = problem === undefined && token === GIVEN.SessionToken;
  return isRight ? { status: 200, body: IDENTITY } : { status: 403, body: "no" };
}

/** A cluster of EKS, which asks STS whose the signed URL in the token is. */
function cluster(request: StandInRequest): StandInReply {
  const [, encoded = ""] = /^Bearer k8s-aws-v1\.(.+)$/.exec(field(request, "authorization") ?? "") ?? [];
  const url = new URL(Buffer.from(encoded, "base64url").toString());
  const signed: StandInRequest = {
    ...{ ...request, method: "GET", host: url.host, target: url.pathname + url.search, path: url.pathname },
    query: url.searchParams,
    headers: [
      ["host", url.host],
      ["x-k8s-aws-id", "shop"],
    ],
    body: new Uint8Array(),
  };
  const { problem, accessKey } = checkSignature(signed, AWS_SECRET_KEY);
  const isRight = accessKey === AWS_ACCESS_KEY && url.searchParams.get("X-Amz-Security-Token") === TOKEN;
  return problem === undefined && isRight
    ? { status: 200, headers: { "Content-Type": "application/json" }, body: '{"kind":"PodList","items":[]}' }
    : { status: 401, body: problem ?? "another identity" };
}

const found = findClient("aws");
const curl = findClient("curl");
if (found !== undefined)
  describe("aws with placeholder keys", () => {
    let scene: Scene;
    let program: ForkedProgram;
    const objects = new Map<string, Uint8Array>();
    let environment: Record<string, string> = {};
    /** Whether keys that STS minted may do what a request does. */
    let narrow = (
      _request: StandInRequest,
      _key: string,
      _token: string | null | undefined,
    ): boolean | undefined => false;

    const start = (...args: string[]): Promise<Finished> =>
      scene.run(program, args, {
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
          if (accessKey === GIVEN.AccessKeyId) return givenTo(request, token);
          if (accessKey !== undefined && narrow(request, accessKey, token)) return answer(request);
          const action = new URLSearchParams(Buffer.from(request.body).toString()).get("Action");
          if (accessKey !== AWS_ACCESS_KEY || token !== TOKEN) return { status: 403, body: "no" };
          return action === "AssumeRole" ? { status: 200, body: ASSUMED } : answer(request);
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
      const env = { ...scene.shell, ...environment, AWS_DEFAULT_REGION: AWS_REGION };
      program = await startForkedProgram(found, { env, warm: AWS_WARM });
    });
    afterAll(async () => {
      await program?.[Symbol.asyncDispose]();
      await scene?.[Symbol.asyncDispose]();
    });

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
      for (const size of [100_003, 9_000_017]) {
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

    test("a role's keys are minted for the very action that was let through, and can do nothing else", async () => {
      const policies = new Map<string, { readonly token: string; readonly actions: readonly string[] }>();
      await using sts = startHttpReceiver(({ body }, count) => {
        const asked = new URLSearchParams(body);
        const { Statement } = JSON.parse(asked.get("Policy") ?? "{}") as {
          Statement?: { Action: string[] }[];
        };
        const key = `ASIARTX3GSDSQANARRW${"ABCDEFG"[count]}`;
        const token = `narrow-token-canary-${count}-0123456789`;
        policies.set(key, { token, actions: (Statement ?? []).flatMap(({ Action }) => Action) });
        return new Response(
          `<R><AccessKeyId>${key}</AccessKeyId><SecretAccessKey>${AWS_SECRET_KEY}</SecretAccessKey><SessionToken>${token}</SessionToken><Expiration>${new Date(Date.now() + 900_000).toISOString()}</Expiration></R>`,
        );
      });
      narrow = (request, accessKey, token) => {
        const action = new URLSearchParams(Buffer.from(request.body).toString()).get("Action");
        const session = policies.get(accessKey);
        return session !== undefined && session.token === token && session.actions.includes(`ec2:${action}`);
      };
      const { gateway } = scene;
      const path = join(gateway.home, "keys");
      const role = ["--role", "arn:aws:iam::111122223333:role/agent", "--api", sts.origin];
      const source = ["--from", "file", "--path", path];
      expect(await gateway.run(["credentials", "add", "aws", "narrow", ...source, ...role])).toMatchObject({
        code: 0,
      });
      const { placeholders } = await gateway.control.call("credentials_placeholders", {});
      const own = environment;
      environment = { ...own, ...placeholders.find(({ name }) => name === "narrow")?.environment };
      const tags = ["ec2", "create-tags", "--resources", "i-0abc", "--tags", "Key=o,Value=x"];
      const results = [await start("ec2", "describe-instances"), await start(...tags)];
      environment = own;
      for (const result of results) expect(result).toMatchObject({ code: 0, stderr: "" });
      expect([...policies.values()].map(({ actions }) => actions).slice(-2)).toEqual([
        ["ec2:DescribeInstances"],
        ["ec2:CreateTags"],
      ]);
    });

    test("keys of a role that the agent asks for stay here: it gets placeholders, and they work", async () => {
      const role = ["--role-arn", "arn:aws:iam::111122223333:role/x", "--role-session-name", "yy"];
      const { code, stdout, stderr } = await start("sts", "assume-role", ...role, "--output", "json");
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const keys = (JSON.parse(stdout) as { Credentials: typeof GIVEN }).Credentials;
      for (const name of ["AccessKeyId", "SecretAccessKey", "SessionToken"] as const) {
        expect(stdout).not.toContain(GIVEN[name]);
        expect(keys[name]).toHaveLength(GIVEN[name].length);
      }
      const own = environment;
      environment = {
        ...own,
        AWS_ACCESS_KEY_ID: keys.AccessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.SecretAccessKey,
        AWS_SESSION_TOKEN: keys.SessionToken,
      };
      const who = await start("sts", "get-caller-identity", "--output", "text");
      environment = own;
      expect(who).toMatchObject({ code: 0, stderr: "" });
      expect(who.stdout).toContain("assumed-role/x/yy");
    });

    if (curl !== undefined)
      test("the token that `aws eks get-token` makes is good at its cluster, for that cluster alone", async () => {
        await using eks = await startScene({ hosts: [CLUSTER], policy: CLUSTER_POLICY, vendor: cluster });
        const path = join(eks.gateway.home, "keys");
        await writeFile(path, `${AWS_ACCESS_KEY}:${AWS_SECRET_KEY}:${TOKEN}`, { mode: 0o600 });
        const source = ["--from", "file", "--path", path, "--eks", "shop"];
        const added = await eks.gateway.run(["credentials", "add", "aws", "prod", ...source]);
        expect(added).toMatchObject({ code: 0 });
        const { placeholders } = await eks.gateway.control.call("credentials_placeholders", {});
        const env = { ...placeholders[0]?.environment, AWS_DEFAULT_REGION: AWS_REGION };
        const tokenOf = async (name: string) => {
          const { stdout } = await eks.run(program, ["eks", "get-token", "--cluster-name", name], { env });
          return (JSON.parse(stdout) as { status: { token: string } }).status.token;
        };
        const pods = async (token: string) => {
          const args = ["--silent", "--cacert", join(eks.gateway.home, "ca-bundle.pem")];
          const url = `https://${CLUSTER}/api/v1/namespaces/a/pods`;
          return (await eks.run(curl, [...args, "--header", `Authorization: Bearer ${token}`, url])).stdout;
        };
        expect(await pods(await tokenOf("shop"))).toContain("PodList");
        const sent = eks.standIn.requests.length;
        expect(await pods(await tokenOf("other"))).toContain("none of the clusters shop");
        expect(eks.standIn.requests.length).toBe(sent);
      });

    test("the keys are worth nothing to AWS itself, and what another secret signed goes nowhere", async () => {
      const direct = scene.standIn.requests.length;
      const wrong = { ...environment, AWS_SECRET_ACCESS_KEY: "x".repeat(40) };
      const { code, stderr } = await scene.run(program, ["sts", "get-caller-identity"], {
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
      for (const secret of [
        AWS_SECRET_KEY,
        TOKEN,
        ...Object.values(GIVEN),
        environment.AWS_SECRET_ACCESS_KEY ?? "",
      ])
        expect(files.join("").includes(secret)).toBe(false);
    });
  });
