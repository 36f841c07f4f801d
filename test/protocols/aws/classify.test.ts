import { describe, expect, test } from "bun:test";
import type { Header } from "../../../src/model/request.ts";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { awsClassifier } from "../../../src/protocols/aws/classify.ts";
import { type Extras, requestOf } from "../request-of.ts";

const FORM: Header = ["Content-Type", "application/x-www-form-urlencoded; charset=utf-8"];
const JSON_BODY: Header = ["Content-Type", "application/x-amz-json-1.1"];

type Row = readonly [line: string, tier: TierOrUnknown, command: string, extras?: Extras];

function check(rows: readonly Row[]): void {
  for (const [line, tier, command, extras] of rows) {
    const answer = awsClassifier.classify(requestOf(line, extras));
    expect([line, answer.tier, answer.command]).toEqual([line, tier, command]);
  }
}

function form(body: string): Extras {
  return { headers: [FORM], body };
}

function target(name: string, ...headers: Header[]): Extras {
  return { headers: [["X-Amz-Target", name], JSON_BODY, ...headers], body: "{}" };
}

const EC2 = "https://ec2.us-east-1.amazonaws.com";
const IAM = "https://iam.amazonaws.com";
const LAMBDA = "https://lambda.eu-west-1.amazonaws.com";
const DYNAMO = "https://dynamodb.us-east-1.amazonaws.com";

describe("the operation is found in every protocol", () => {
  test("Action in a form body, wherever it stands", () => {
    check([
      [
        `POST ${EC2}/`,
        "observe",
        "ec2 describe-instances",
        form("Action=DescribeInstances&Version=2016-11-15"),
      ],
      [
        `POST ${EC2}/`,
        "sensitive",
        "ec2 terminate-instances",
        form("Version=2016-11-15&InstanceId.1=i-1&Action=TerminateInstances"),
      ],
      [`POST ${EC2}/`, "sensitive", "ec2 terminate-instances", form("%41ction=Terminate%49nstances")],
      [`POST ${IAM}/`, "break-glass", "iam create-user", form("Action=CreateUser&UserName=x")],
    ]);
  });

  test("Action in the query of a GET, also of a presigned one", () => {
    check([
      [
        "GET https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "observe",
        "sts get-caller-identity",
      ],
      [
        `GET ${EC2}/?Version=2016-11-15&Action=StopInstances&InstanceId.1=i-1`,
        "modify",
        "ec2 stop-instances",
      ],
    ]);
  });

  test("X-Amz-Target", () => {
    check([
      [`POST ${DYNAMO}/`, "observe", "dynamodb scan", target("DynamoDB_20120810.Scan")],
      [`POST ${DYNAMO}/`, "sensitive", "dynamodb delete-table", target("DynamoDB_20120810.DeleteTable")],
      [
        "POST https://cloudtrail.us-east-1.amazonaws.com/",
        "observe",
        "cloudtrail lookup-events",
        target("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"),
      ],
    ]);
  });

  test("the path of Smithy RPC", () => {
    check([
      [
        "POST https://monitoring.us-east-1.amazonaws.com/service/GraniteServiceVersion20100801/operation/DeleteAlarms",
        "sensitive",
        "cloudwatch delete-alarms",
      ],
    ]);
  });

  test("REST method and path, with names that hold slashes", () => {
    check([
      [`GET ${LAMBDA}/2015-03-31/functions`, "observe", "lambda list-functions"],
      [`GET ${LAMBDA}/2015-03-31/functions/`, "observe", "lambda list-functions"],
      [`DELETE ${LAMBDA}/2015-03-31/functions/f`, "sensitive", "lambda delete-function"],
      [`POST ${LAMBDA}/2015-03-31/functions/f/invocations`, "modify", "lambda invoke"],
      ["GET https://ecs-x.us-east-1.amazonaws.com/", "unknown", ""],
      [
        "GET https://eks.us-east-1.amazonaws.com/tags/arn%3Aaws%3Aeks%3Aus-east-1%3A111122223333%3Acluster%2Ffoo",
        "observe",
        "eks list-tags-for-resource",
      ],
      ["GET https://route53.amazonaws.com/2013-04-01/hostedzone", "observe", "route53 list-hosted-zones"],
    ]);
  });

  test("REST paths that only a query literal tells apart", () => {
    const url = "https://chime.us-east-1.amazonaws.com/accounts/a";
    check([
      [
        `POST ${url}?operation=associate-signin-delegate-groups`,
        "modify",
        "chime associate-signin-delegate-groups-with-account",
      ],
      [
        `POST ${url}?operation=disassociate-signin-delegate-groups`,
        "modify",
        "chime disassociate-signin-delegate-groups-from-account",
      ],
    ]);
  });
});

describe("tiers follow IAM's access levels, corrected by rules", () => {
  test("of each rule an example", () => {
    check([
      [`POST ${DYNAMO}/`, "modify", "dynamodb put-item", target("DynamoDB_20120810.PutItem")],
      [`POST ${DYNAMO}/`, "modify", "dynamodb tag-resource", target("DynamoDB_20120810.TagResource")],
      [
        "POST https://secretsmanager.us-east-1.amazonaws.com/",
        "sensitive",
        "secretsmanager get-secret-value",
        target("secretsmanager.GetSecretValue"),
      ],
      [
        "POST https://ssm.us-east-1.amazonaws.com/",
        "sensitive",
        "ssm get-parameter",
        target("AmazonSSM.GetParameter"),
      ],
      [
        "POST https://ssm.us-east-1.amazonaws.com/",
        "observe",
        "ssm describe-parameters",
        target("AmazonSSM.DescribeParameters"),
      ],
      [
        "POST https://ssm.us-east-1.amazonaws.com/",
        "break-glass",
        "ssm start-session",
        target("AmazonSSM.StartSession"),
      ],
      [
        "POST https://ecs.us-east-1.amazonaws.com/",
        "break-glass",
        "ecs execute-command",
        target("AmazonEC2ContainerServiceV20141113.ExecuteCommand"),
      ],
      [
        "POST https://kms.us-east-1.amazonaws.com/",
        "sensitive",
        "kms decrypt",
        target("TrentService.Decrypt"),
      ],
      [
        "POST https://kms.us-east-1.amazonaws.com/",
        "break-glass",
        "kms create-grant",
        target("TrentService.CreateGrant"),
      ],
      [
        "POST https://kms.us-east-1.amazonaws.com/",
        "sensitive",
        "kms schedule-key-deletion",
        target("TrentService.ScheduleKeyDeletion"),
      ],
      [
        "POST https://sts.us-east-1.amazonaws.com/",
        "sensitive",
        "sts assume-role",
        form("Action=AssumeRole&RoleArn=x"),
      ],
      [
        "POST https://sts.us-east-1.amazonaws.com/",
        "break-glass",
        "sts assume-root",
        form("Action=AssumeRoot"),
      ],
      [`POST ${IAM}/`, "observe", "iam list-users", form("Action=ListUsers")],
      [`POST ${IAM}/`, "break-glass", "iam delete-user", form("Action=DeleteUser")],
      [`POST ${EC2}/`, "break-glass", "ec2 create-key-pair", form("Action=CreateKeyPair")],
      [
        "POST https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke",
        "observe",
        "bedrock-runtime invoke-model",
      ],
      [
        "POST https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse",
        "observe",
        "bedrock-runtime converse",
      ],
      [
        "GET https://portal.sso.us-east-1.amazonaws.com/federation/credentials?role_name=r&account_id=1",
        "sensitive",
        "sso get-role-credentials",
      ],
      ["POST https://oidc.us-east-1.amazonaws.com/token", "observe", "sso-oidc create-token"],
    ]);
  });
});

describe("what can be read in two ways is unknown", () => {
  const rows: readonly Row[] = [
    [`POST ${IAM}/`, "unknown", "", form("Action=ListUsers&Action=DeleteUser")],
    [`POST ${IAM}/?Action=ListUsers`, "unknown", "", form("Action=DeleteUser")],
    [`POST ${IAM}/`, "unknown", "", form("Action=ListUsers&action=DeleteUser")],
    [`POST ${IAM}/`, "unknown", "", form("Action=ListUsers&X=1;Action=DeleteUser")],
    [`POST ${IAM}/`, "unknown", "", form("Action[]=DeleteUser&Action=ListUsers")],
    [`POST ${IAM}/`, "unknown", "", form("Action=ListUsers&%61ction=DeleteUser")],
    [`POST ${IAM}/`, "unknown", "", { body: "Action=ListUsers" }],
    [
      `POST ${IAM}/`,
      "unknown",
      "",
      { headers: [["Content-Type", "application/json"]], body: '{"Action":"ListUsers"}' },
    ],
    [`POST ${IAM}/`, "unknown", "", { headers: [FORM], unread: true }],
    [`POST ${IAM}/`, "unknown", ""],
    [
      `GET ${IAM}/?Action=ListUsers`,
      "unknown",
      "",
      { headers: [FORM, ["Content-Length", "17"]], body: "Action=DeleteUser" },
    ],
    [`POST ${DYNAMO}/`, "unknown", "", target("DynamoDB_20120810.Frob")],
    [`POST ${DYNAMO}/`, "unknown", "", target("Frob.Scan")],
    [
      `POST ${DYNAMO}/`,
      "unknown",
      "",
      target("DynamoDB_20120810.Scan", ["x-amz-target", "DynamoDB_20120810.DeleteTable"]),
    ],
    [`GET ${DYNAMO}/`, "unknown", "", target("DynamoDB_20120810.Scan")],
    [`POST ${DYNAMO}/?Action=DeleteTable`, "unknown", "", target("DynamoDB_20120810.Scan")],
    [`POST ${EC2}/`, "unknown", "", target("AmazonEC2.DescribeInstances")],
    [
      "POST https://sqs.us-east-1.amazonaws.com/",
      "unknown",
      "",
      { headers: [["X-Amz-Target", "AmazonSQS.ListQueues"], FORM], body: "Action=PurgeQueue" },
    ],
    [`GET ${LAMBDA}/2015-03-31//functions`, "unknown", ""],
    [`GET ${LAMBDA}/2015-03-31/functions/../functions`, "unknown", ""],
    [`GET ${LAMBDA}/2015-03-31/functions/%2e%2e`, "unknown", ""],
    [`GET ${LAMBDA}/2015-03-31/frobs`, "unknown", ""],
    [`FROB ${LAMBDA}/2015-03-31/functions`, "unknown", ""],
    [
      "POST https://email.us-east-1.amazonaws.com/v2/email/outbound-emails?Action=GetSendQuota",
      "unknown",
      "",
    ],
    ["GET https://frob.us-east-1.amazonaws.com/", "unknown", ""],
    ["GET https://example.org/", "unknown", ""],
  ];
  for (const row of rows)
    test(`${row[0]} ${JSON.stringify(row[3] ?? {})}`, () => {
      check([row]);
    });

  test("but what it may mean stays as a part, so that doubt never hides a denial", () => {
    for (const [line, extras, want] of [
      [`POST ${IAM}/`, form("Action=ListUsers&Action=DeleteUser"), "iam delete-user"],
      [`POST ${IAM}/?Action=ListUsers`, form("Action=DeleteUser"), "iam delete-user"],
      [`POST ${IAM}/`, form("Action=ListUsers&x=%zz;Action=DeleteUser"), "iam delete-user"],
      [
        "POST https://kms.us-east-1.amazonaws.com/?Action=ListKeys",
        target("TrentService.CreateGrant"),
        "kms create-grant",
      ],
      [`POST ${LAMBDA}/2015-03-31/functions//f/policy`, {}, "lambda add-permission"],
      ["PUT https://b.s3.amazonaws.com/?policy&tagging", {}, "s3api put-bucket-policy"],
      ["PUT https://b.s3.amazonaws.com/?policy&x=%zz", {}, "s3api put-bucket-policy"],
    ] as const) {
      const answer = awsClassifier.classify(requestOf(line, extras));
      expect(answer.tier).toBe("unknown");
      const parts = answer.parts?.map((part) => [part.tier, part.command]) ?? [];
      expect([line, parts]).toEqual([line, expect.arrayContaining([["break-glass", want]])]);
    }
  });

  test("the stricter of the method and an override counts", () => {
    check([
      [
        `GET ${LAMBDA}/2015-03-31/functions/f`,
        "sensitive",
        "lambda delete-function",
        { headers: [["X-HTTP-Method-Override", "DELETE"]] },
      ],
      [
        `DELETE ${LAMBDA}/2015-03-31/functions/f`,
        "sensitive",
        "lambda delete-function",
        { headers: [["X-HTTP-Method-Override", "GET"]] },
      ],
    ]);
  });

  test("an upgrade is unknown, and the channel of a session break-glass", () => {
    const headers: Header[] = [
      ["Connection", "Upgrade"],
      ["Upgrade", "websocket"],
    ];
    check([
      [`GET ${LAMBDA}/2015-03-31/functions`, "unknown", "lambda list-functions", { headers }],
      [
        "GET https://ssmmessages.us-east-1.amazonaws.com/v1/data-channel/s-1",
        "break-glass",
        "ssm start-session",
        { headers },
      ],
    ]);
  });
});

describe("the body is asked for only when the operation is in it", () => {
  const rows: readonly (readonly [string, boolean, Extras?])[] = [
    [`POST ${EC2}/`, true, { headers: [FORM] }],
    [`POST ${EC2}/?Action=DescribeInstances`, true],
    [`GET ${EC2}/?Action=DescribeInstances`, false],
    [`POST ${DYNAMO}/`, false, target("DynamoDB_20120810.Scan")],
    ["POST https://sqs.us-east-1.amazonaws.com/", false, target("AmazonSQS.ListQueues")],
    ["POST https://sqs.us-east-1.amazonaws.com/111122223333/q", true, { headers: [FORM] }],
    ["POST https://email.us-east-1.amazonaws.com/v2/email/outbound-emails", false],
    ["PUT https://acme.s3.amazonaws.com/key", false],
    ["POST https://acme.s3.amazonaws.com/?delete", false],
    [`POST ${LAMBDA}/2015-03-31/functions`, false],
    [
      "POST https://monitoring.us-east-1.amazonaws.com/service/GraniteServiceVersion20100801/operation/ListMetrics",
      false,
    ],
  ];
  for (const [line, wanted, extras] of rows)
    test(`${line}: ${wanted}`, () => {
      expect(awsClassifier.needsBody(requestOf(line, extras))).toBe(wanted);
    });
});

describe("labels and spellings", () => {
  test("account, region and service come from the host and the signature", () => {
    // An access key spells its account; this one is from the format's published description.
    const signed: Header = [
      "Authorization",
      "AWS4-HMAC-SHA256 Credential=ASIAQNZGKIQY56JQ7WML/20260101/eu-central-1/iam/aws4_request, SignedHeaders=host, Signature=0",
    ];
    const old: Header = [
      "Authorization",
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0",
    ];
    const labels = (line: string, extras?: Extras) => awsClassifier.classify(requestOf(line, extras)).labels;
    expect(labels(`GET ${IAM}/?Action=ListUsers`, { headers: [signed] })).toEqual({
      account: "029608264753",
      region: "eu-central-1",
      service: "iam",
    });
    expect(labels(`GET ${IAM}/?Action=ListUsers`, { headers: [old] })).toEqual({
      region: "us-east-1",
      service: "iam",
    });
    expect(labels("GET https://monitoring.eu-west-1.amazonaws.com/?Action=ListMetrics")).toEqual({
      region: "eu-west-1",
      service: "cloudwatch",
    });
    expect(
      labels("GET https://111122223333.s3-control.us-west-2.amazonaws.com/v20180820/accesspoint"),
    ).toEqual({ account: "111122223333", region: "us-west-2", service: "s3" });
    expect(
      labels(
        "GET https://sts.amazonaws.com/?Action=GetCallerIdentity&X-Amz-Credential=ASIAQNZGKIQY56JQ7WML%2F20260101%2Fus-east-1%2Fsts%2Faws4_request",
      ),
    ).toEqual({ account: "029608264753", region: "us-east-1", service: "sts" });
  });

  test("nothing that a caller may choose freely becomes the account", () => {
    const headers: Header[] = [["x-amz-account-id", "111122223333"]];
    for (const line of [
      `GET ${EC2}/?Action=DescribeInstances`,
      "GET https://loot-111122223333.s3.amazonaws.com/k",
      "GET https://sqs.us-east-1.amazonaws.com/111122223333/q?Action=GetQueueUrl",
    ])
      expect(awsClassifier.classify(requestOf(line, { headers })).labels).not.toHaveProperty("account");
  });

  test("commands are the CLI's, aliases IAM's", () => {
    const aliases = (line: string, extras?: Extras) =>
      awsClassifier.classify(requestOf(line, extras)).aliases;
    expect(aliases(`GET ${EC2}/?Action=TerminateInstances`)).toEqual(["ec2:TerminateInstances"]);
    expect(aliases("GET https://acme.s3.amazonaws.com/?list-type=2")).toContain("s3:ListBucket");
    expect(aliases(`POST ${LAMBDA}/2015-03-31/functions/f/invocations`)).toContain("lambda:InvokeFunction");
    const shared = aliases("GET https://rds.us-east-1.amazonaws.com/?Action=DeleteDBCluster");
    for (const one of ["rds:DeleteDBCluster", "neptune delete-db-cluster", "docdb delete-db-cluster"])
      expect(shared).toContain(one);
  });
});

test("customers' own applications are tiered by method", () => {
  check([
    ["GET https://abc.execute-api.us-east-1.amazonaws.com/prod/users", "observe", "GET"],
    ["POST https://abc.execute-api.us-east-1.amazonaws.com/prod/users", "modify", "POST"],
    ["DELETE https://abc.lambda-url.us-east-1.on.aws/", "sensitive", "DELETE"],
    ["GET https://111122223333.dkr.ecr.us-east-1.amazonaws.com/v2/app/manifests/1", "observe", "GET"],
    ["POST https://search-x.us-east-1.es.amazonaws.com/idx/_doc", "modify", "POST"],
    ["POST https://git-codecommit.us-east-1.amazonaws.com/v1/repos/r/git-upload-pack", "observe", "POST"],
    ["POST https://git-codecommit.us-east-1.amazonaws.com/v1/repos/r/git-receive-pack", "modify", "POST"],
    ["GET https://abc.gr7.us-east-1.eks.amazonaws.com/api/v1/secrets", "unknown", ""],
  ]);
});
