import { expect, test } from "bun:test";
import { accountOfKey, readScope } from "../../../src/protocols/aws/credential.ts";
import { readAwsHost } from "../../../src/protocols/aws/endpoint.ts";

/** Describes a host in a line: the APIs' CLI names or the kind, then everything else that the name says. */
function say(host: string): string {
  const endpoint = readAwsHost(host);
  const parts: string[] = [];
  if (endpoint.kind === "api") parts.push(endpoint.group.apis.map((api) => api.cli).join("+"));
  else parts.push(endpoint.kind);
  if (endpoint.region !== undefined) parts.push(endpoint.region);
  if ("account" in endpoint && endpoint.account !== undefined) parts.push(`account ${endpoint.account}`);
  if (endpoint.kind === "s3" && endpoint.bucket !== undefined) parts.push(`bucket ${endpoint.bucket}`);
  return parts.join(", ");
}

const ROWS: readonly (readonly [host: string, what: string])[] = [
  // Regional, global, FIPS, dual stack, other partitions.
  ["ec2.us-east-1.amazonaws.com", "ec2, us-east-1"],
  ["ec2-fips.us-gov-west-1.amazonaws.com", "ec2, us-gov-west-1"],
  ["ec2.us-east-1.api.aws", "ec2, us-east-1"],
  ["acm-fips.us-east-1.api.aws", "acm, us-east-1"],
  ["ec2.cn-north-1.amazonaws.com.cn", "ec2, cn-north-1"],
  ["ec2.cn-north-1.api.amazonwebservices.com.cn", "ec2, cn-north-1"],
  ["ec2.us-iso-east-1.c2s.ic.gov", "ec2, us-iso-east-1"],
  ["ec2.eusc-de-east-1.amazonaws.eu", "ec2, eusc-de-east-1"],
  ["iam.amazonaws.com", "iam"],
  ["iam.us-gov.amazonaws.com", "iam"],
  ["iam-fips.amazonaws.com", "iam"],
  ["sts.amazonaws.com", "sts"],
  ["route53.amazonaws.com", "route53"],
  ["budgets.amazonaws.com", "budgets"],
  // Names that are not the service's.
  ["monitoring.eu-west-1.amazonaws.com", "cloudwatch, eu-west-1"],
  ["states.eu-west-1.amazonaws.com", "stepfunctions, eu-west-1"],
  ["sync-states.eu-west-1.amazonaws.com", "stepfunctions, eu-west-1"],
  ["api.ecr.eu-west-1.amazonaws.com", "ecr, eu-west-1"],
  ["ecr.eu-west-1.api.aws", "ecr, eu-west-1"],
  ["api.sagemaker.eu-west-1.amazonaws.com", "sagemaker, eu-west-1"],
  ["portal.sso.eu-west-1.amazonaws.com", "sso, eu-west-1"],
  ["oidc.eu-west-1.amazonaws.com", "sso-oidc, eu-west-1"],
  ["queue.amazonaws.com", "sqs"],
  ["eu-west-1.queue.amazonaws.com", "sqs, eu-west-1"],
  ["data-ats.iot.eu-west-1.amazonaws.com", "iot-data, eu-west-1"],
  ["a1b2c3-ats.iot.eu-west-1.amazonaws.com", "iot-data, eu-west-1"],
  ["111122223333.ddb.us-east-1.amazonaws.com", "dynamodb, us-east-1, account 111122223333"],
  ["111122223333.cloudfront-kvs.global.api.aws", "cloudfront-keyvaluestore, account 111122223333"],
  ["g-123.us-east-1.neptune-graph.amazonaws.com", "neptune-graph, us-east-1"],
  ["abcd.mediaconvert.us-east-1.amazonaws.com", "mediaconvert, us-east-1"],
  ["us-east-1.signin.aws.amazon.com", "signin, us-east-1"],
  // Shared hosts.
  ["elasticloadbalancing.us-east-1.amazonaws.com", "elb+elbv2, us-east-1"],
  // Private endpoints.
  ["vpce-0a1b-2c3d.ec2.us-east-1.vpce.amazonaws.com", "ec2, us-east-1"],
  ["vpce-0a1b-2c3d-us-east-1a.ec2.us-east-1.vpce.amazonaws.com", "ec2, us-east-1"],
  ["vpce-0a1b-2c3d.api.ecr.us-east-1.vpce.amazonaws.com", "ecr, us-east-1"],
  ["control.vpce-0a1b-2c3d.s3.us-east-1.vpce.amazonaws.com", "s3control, us-east-1"],
  [
    "111122223333.control.vpce-0a1b-2c3d.s3.us-east-1.vpce.amazonaws.com",
    "s3control, us-east-1, account 111122223333",
  ],
  // S3 and what only begins like it.
  ["s3.us-east-1.amazonaws.com", "s3, us-east-1"],
  ["111122223333.s3-control.us-east-1.amazonaws.com", "s3control, us-east-1, account 111122223333"],
  ["s3-outposts.us-east-1.amazonaws.com", "s3outposts+s3control, us-east-1"],
  [
    "ap-111122223333.op-1.s3-outposts.us-east-1.amazonaws.com",
    "s3, us-east-1, account 111122223333, bucket ap-111122223333",
  ],
  ["s3tables.us-east-1.amazonaws.com", "s3tables, us-east-1"],
  ["s3vectors.us-east-1.api.aws", "s3vectors, us-east-1"],
  // Customers' own, and unknown.
  ["abc.execute-api.us-east-1.amazonaws.com", "application, us-east-1"],
  ["my-lb-1.us-east-1.elb.amazonaws.com", "application, us-east-1"],
  ["ec2-1-2-3-4.compute-1.amazonaws.com", "application"],
  ["search-d.us-east-1.es.amazonaws.com", "application, us-east-1"],
  ["111122223333.dkr.ecr.us-east-1.amazonaws.com", "application, us-east-1, account 111122223333"],
  ["d-111122223333.d.codeartifact.us-east-1.amazonaws.com", "application, us-east-1, account 111122223333"],
  ["d-111122223333.us-east-1.es.amazonaws.com", "application, us-east-1"],
  ["ssmmessages.us-east-1.amazonaws.com", "session, us-east-1"],
  ["abc.gr7.us-east-1.eks.amazonaws.com", "other, us-east-1"],
  ["frob.us-east-1.amazonaws.com", "other, us-east-1"],
  ["evil.ec2.us-east-1.amazonaws.com", "other, us-east-1"],
  ["amazonaws.com", "other"],
  ["ec2.us-east-1.amazonaws.com.example.org", "other"],
  ["ec2-us-east-1-amazonaws.com", "other"],
];

for (const [host, what] of ROWS)
  test(`${host} is ${what}`, () => {
    expect(say(host)).toBe(what);
  });

test("a signature's scope is read from the field and from presigned URLs", () => {
  const head = (target: string, authorization?: string) => ({
    method: "GET",
    host: "h",
    port: 443,
    target,
    headers: authorization === undefined ? [] : ([["authorization", authorization]] as const),
  });
  const scope = { accessKey: "AKIAX", region: "us-east-1", service: "s3" };
  expect(
    readScope(head("/", "AWS4-HMAC-SHA256 Credential=AKIAX/20260101/us-east-1/s3/aws4_request, Signature=0")),
  ).toEqual(scope);
  expect(
    readScope(head("/k?X-Amz-Credential=AKIAX%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=1")),
  ).toEqual(scope);
  expect(
    readScope(head("/", "AWS4-ECDSA-P256-SHA256 Credential=AKIAX/20260101/s3/aws4_request, Signature=0")),
  ).toEqual({ accessKey: "AKIAX", region: undefined, service: "s3" });
  expect(readScope(head("/", "Bearer x"))).toBeUndefined();
  expect(readScope(head("/"))).toBeUndefined();
});

test("a request that names several credentials names no account: which one AWS reads is not known", () => {
  const claim = (key: string) => `Credential=${key}/20260101/us-east-1/iam/aws4_request`;
  const field = (text: string) => ["authorization", `AWS4-HMAC-SHA256 ${text}, Signature=0`] as const;
  const inQuery = (name: string) => `/?${name}=AKIAY%2F20260101%2Fus-east-1%2Fiam%2Faws4_request`;
  const scopeOf = (target: string, ...headers: (readonly [string, string])[]) =>
    readScope({ method: "POST", host: "h", port: 443, target, headers });
  expect(scopeOf("/", field(claim("AKIAX")))?.accessKey).toBe("AKIAX");
  expect(scopeOf("/", field(claim("AKIAX")), field(claim("AKIAY")))).toBeUndefined();
  expect(scopeOf("/", field(`X=${claim("AKIAX")}, ${claim("AKIAY")}`))).toBeUndefined();
  expect(scopeOf("/", field(claim("AKIAX")), ["authorization", "Bearer x"])).toBeUndefined();
  for (const name of ["X-Amz-Credential", "x-amz-credential", "X-Amz-%43redential"]) {
    expect([name, scopeOf(inQuery(name))?.accessKey]).toEqual([name, "AKIAY"]);
    expect([name, scopeOf(inQuery(name), field(claim("AKIAX")))]).toEqual([name, undefined]);
  }
});

test("an access key tells its account unless it is of the old kind", () => {
  expect(accountOfKey("ASIAQNZGKIQY56JQ7WML")).toBe("029608264753");
  expect(accountOfKey("AKIAIOSFODNN7EXAMPLE")).toBeUndefined();
  expect(accountOfKey("AKIAX")).toBeUndefined();
  expect(accountOfKey("")).toBeUndefined();
});
