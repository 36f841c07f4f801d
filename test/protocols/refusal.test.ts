import { describe, expect, test } from "bun:test";
import { OUTCOMES } from "../../src/model/outcome.ts";
import { PROTOCOLS, type Protocol } from "../../src/model/protocol.ts";
import type { RequestHead } from "../../src/model/request.ts";
import { refusalMessage, renderRefusal } from "../../src/protocols/refusal.ts";
import type { Refusal } from "../../src/protocols/refused.ts";

const request: RequestHead = {
  method: "POST",
  host: "k.example",
  port: 443,
  target: "/api/v1/pods?token=hush",
  headers: [],
};

const refused: Refusal = {
  status: 403,
  outcome: "refused",
  tier: "break-glass",
  command: "exec",
  rule: "kubectl.rules.deny.groups[0]",
  reason: "the policy denies it",
  retry: false,
};

function bodyOf(protocol: Parameters<typeof renderRefusal>[0], refusal: Refusal, head = request) {
  const reply = renderRefusal(protocol, refusal, head);
  return { reply, text: new TextDecoder().decode(reply.body) };
}

describe("kubectl is told", () => {
  test("by a metav1.Status whose message names tier, rule and outcome", () => {
    const { reply, text } = bodyOf("kubectl", refused);
    expect(reply.status).toBe(403);
    expect(JSON.parse(text)).toMatchObject({
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      reason: "Forbidden",
      code: 403,
      message:
        "iddio refused 'exec' by policy (tier break-glass, rule kubectl.rules.deny.groups[0]): the policy denies it; do not retry, the answer will be the same",
    });
  });

  test("the reason that its error line shows, for each status", () => {
    for (const [status, reason] of [
      [400, "BadRequest"],
      [403, "Forbidden"],
      [421, "MisdirectedRequest"],
      [502, "BadGateway"],
    ] as const) {
      expect(JSON.parse(bodyOf("kubectl", { ...refused, status }).text).reason).toBe(reason);
    }
  });

  for (const [target, isDiscovery] of [
    ["/api?timeout=32s", true],
    ["/apis", true],
    ["/api/v1", true],
    ["/apis/apps/v1?timeout=32s", true],
    ["/openapi/v3/apis/apps/v1?hash=1", true],
    ["/version", true],
    ["/api/v1/pods", false],
    ["/apis/apps/v1/deployments", false],
    ["/apiserver", false],
  ] as const)
    test(`in ${isDiscovery ? "plain text, which it prints where it never reads a Status" : "a Status"} at ${target}`, () => {
      const { reply, text } = bodyOf("kubectl", refused, { ...request, target });
      const [, type = ""] = reply.headers.find(([name]) => name === "content-type") ?? [];
      expect(type).toStartWith(isDiscovery ? "text/plain" : "application/json");
      expect(text).toContain("iddio refused 'exec' by policy");
    });
});

describe("the message says", () => {
  const table: readonly (readonly [name: string, change: Partial<Refusal>, message: string])[] = [
    [
      "that a person denied it, with the words given",
      { outcome: "denied", approvalId: "appr_a1b2c3d4", reason: "not now" },
      "iddio: a person denied 'exec' (appr_a1b2c3d4) (tier break-glass, rule kubectl.rules.deny.groups[0]): not now; do not retry, the answer will be the same",
    ],
    [
      "that nobody answered, and that a retry may help",
      { outcome: "timed_out", approvalId: "appr_a1b2c3d4", retry: true },
      "iddio: nobody approved 'exec' (appr_a1b2c3d4) in time (tier break-glass, rule kubectl.rules.deny.groups[0]); retry when somebody can approve it",
    ],
    [
      "that the tier is unknown, without a rule when there is none",
      { tier: "unknown", command: "", rule: "", reason: "the path is ambiguous" },
      "iddio refused this request by policy (tier unknown): the path is ambiguous; do not retry, the answer will be the same",
    ],
    [
      "why it could not be forwarded",
      { outcome: "failed", status: 502, reason: "the upstream's certificate has expired", retry: true },
      "iddio could not forward 'exec': the upstream's certificate has expired; it may be retried",
    ],
    [
      "that the outcome is unknown once it was sent",
      { outcome: "failed", status: 502, reason: "it closed the connection", retry: false, wasSent: true },
      "iddio forwarded 'exec' and the outcome is unknown: it closed the connection; it may have been carried out, so look before it is sent again",
    ],
  ];
  for (const [name, change, message] of table) {
    test(name, () => expect(refusalMessage({ ...refused, ...change })).toBe(message));
  }

  test("something else for every outcome that ends a request", () => {
    const messages = OUTCOMES.map((outcome) => refusalMessage({ ...refused, outcome }));
    expect(new Set(messages).size).toBeGreaterThanOrEqual(6);
  });
});

for (const protocol of [...PROTOCOLS, undefined]) {
  describe(`a refusal for ${protocol ?? "no protocol"}`, () => {
    test("has a body of exactly the length it states and repeats nothing of the request", () => {
      const { reply, text } = bodyOf(protocol, refused);
      const length = reply.headers.find(([name]) => name.toLowerCase() === "content-length")?.[1];
      expect(Number(length)).toBe(reply.body.length);
      expect(text).not.toContain("hush");
      expect(text).toContain("kubectl.rules.deny.groups[0]");
    });

    test("has no body for HEAD", () => {
      expect(bodyOf(protocol, refused, { ...request, method: "HEAD" }).reply.body).toHaveLength(0);
    });
  });
}

test("a client without a language of its own gets short JSON", () => {
  expect(JSON.parse(bodyOf("generic", { ...refused, approvalId: "appr_a1b2c3d4" }).text)).toEqual({
    error: refusalMessage(refused),
    outcome: "refused",
    tier: "break-glass",
    command: "exec",
    rule: "kubectl.rules.deny.groups[0]",
    retry: false,
    approval_id: "appr_a1b2c3d4",
  });
});

test("a gRPC client is told what may be tried again, also where iddio has no room", () => {
  const request = {
    method: "POST",
    host: "h",
    port: 443,
    target: "/s/M",
    headers: [["content-type", "application/grpc"]],
  } as const;
  const status = (code: number, retry: boolean) => {
    const refusal = { outcome: "failed", tier: "modify", command: "M", rule: "", reason: "", retry } as const;
    return renderRefusal(undefined, { ...refusal, status: code }, request).headers.find(
      ([name]) => name === "grpc-status",
    )?.[1];
  };
  expect([status(503, true), status(502, true), status(502, false), status(403, false)]).toEqual([
    "14",
    "14",
    "2",
    "7",
  ]);
});

describe("the narrowest rule that would have allowed the request is told", () => {
  const toAllow = "to allow exactly this, list 'exec' in kubectl.rules.allow.commands";
  const known = { ...refused, toAllow };
  const shapes: readonly (readonly [
    name: string,
    protocol: Protocol | undefined,
    head: Partial<RequestHead>,
  ])[] = [
    ...[...PROTOCOLS, undefined].map((one) => [one ?? "no protocol", one, {}] as const),
    ["kubectl at discovery", "kubectl", { target: "/api" }],
    ["AWS in CBOR", "aws", { headers: [["smithy-protocol", "rpc-v2-cbor"]] }],
    ["AWS in JSON", "aws", { headers: [["x-amz-target", "Logs.PutLogEvents"]] }],
    ["EC2", "aws", { host: "ec2.eu-west-1.amazonaws.com", target: "/?Action=RunInstances" }],
    ["AWS by query", "aws", { host: "iam.amazonaws.com", target: "/?Action=CreateUser" }],
    ["S3", "aws", { host: "acme.s3.amazonaws.com" }],
    ["Cloud Storage's XML", "gcloud", { host: "storage.googleapis.com", target: "/acme/a" }],
    ["Google's token endpoint", "gcloud", { host: "oauth2.googleapis.com" }],
    ["GitHub's GraphQL", "github", { target: "/graphql" }],
    ["git-lfs", "github", { target: "/a/b.git/info/lfs/objects/batch" }],
    ["git at discovery", "github", { method: "GET", target: "/a/b.git/info/refs?service=git-receive-pack" }],
    ["git push", "github", { headers: [["content-type", "application/x-git-receive-pack-request"]] }],
    ["git fetch", "github", { headers: [["content-type", "application/x-git-upload-pack-request"]] }],
    ["Cloudflare's GraphQL", "cloudflare", { target: "/client/v4/graphql" }],
    ["Fly's GraphQL", "fly", { target: "/graphql" }],
    ["HCP Terraform", "terraform", { headers: [["accept", "application/vnd.api+json"]] }],
    ["gRPC", "gcloud", { headers: [["content-type", "application/grpc"]] }],
  ];
  for (const [name, protocol, head] of shapes)
    test(`to ${name}`, () => {
      const { reply, text } = bodyOf(protocol, known, { ...request, ...head });
      const message = reply.headers.find(([field]) => field === "grpc-message")?.[1] ?? text;
      expect(unescaped(message)).toContain(toAllow);
    });

  for (const outcome of ["refused", "timed_out", "withdrawn"] as const)
    test(`where the request was ${outcome}`, () =>
      expect(refusalMessage({ ...known, outcome })).toEndWith(`; ${toAllow}`));

  for (const outcome of ["denied", "failed", "blocked"] as const)
    test(`and not where it was ${outcome}`, () =>
      expect(refusalMessage({ ...known, outcome })).not.toContain(toAllow));
});

/** Without the escapes of XML, JSON and gRPC. */
function unescaped(text: string): string {
  return text.replaceAll("&apos;", "'").replaceAll("&#39;", "'").replaceAll("%27", "'");
}
