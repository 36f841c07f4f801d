import { expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { awsClassifier } from "../../../src/protocols/aws/classify.ts";

type Row = readonly [
  line: string,
  tier: TierOrUnknown,
  command: string,
  labels?: Readonly<Record<string, string>>,
];

function check(rows: readonly Row[]): void {
  for (const [line, tier, command, labels] of rows) {
    const answer = awsClassifier.classifyArgv(line.split(" "));
    expect([line, answer.tier, answer.command]).toEqual([line, tier, command]);
    if (labels !== undefined) expect([line, answer.labels]).toEqual([line, labels]);
  }
}

test("service and operation, with global flags in every place and spelling", () => {
  check([
    ["aws ec2 describe-instances", "observe", "ec2 describe-instances", { service: "ec2" }],
    ["aws ec2 terminate-instances --instance-ids i-1", "sensitive", "ec2 terminate-instances"],
    [
      "aws --region eu-west-1 --profile prod ec2 stop-instances --instance-ids i-1",
      "modify",
      "ec2 stop-instances",
      { region: "eu-west-1", service: "ec2" },
    ],
    [
      "aws --region=eu-west-1 --debug ec2 --output json stop-instances",
      "modify",
      "ec2 stop-instances",
      { region: "eu-west-1", service: "ec2" },
    ],
    [
      "aws --region eu-west-1 ec2 stop-instances --region us-east-1",
      "modify",
      "ec2 stop-instances",
      { region: "us-east-1", service: "ec2" },
    ],
    ["aws --prof prod iam create-user --user-name x", "break-glass", "iam create-user", { service: "iam" }],
    [
      "aws elbv2 delete-load-balancer --load-balancer-arn x",
      "sensitive",
      "elbv2 delete-load-balancer",
      { service: "elasticloadbalancing" },
    ],
    ["aws iam list-users --cli-input-json file://x", "observe", "iam list-users"],
    [
      "aws s3api delete-object --bucket acme --key k",
      "sensitive",
      "s3api delete-object",
      { service: "s3", bucket: "acme" },
    ],
    [
      "aws s3control list-jobs --account-id 111122223333",
      "observe",
      "s3control list-jobs",
      { service: "s3", account: "111122223333" },
    ],
    ["aws configservice describe-config-rules", "observe", "configservice describe-config-rules"],
    ["aws deploy create-deployment --application-name a", "modify", "deploy create-deployment"],
    ["aws cloudwatch stop-o-tel-enrichment", "modify", "cloudwatch stop-otel-enrichment"],
    ["aws storagegateway create-cached-iscsi-volume", "modify", "storagegateway create-cached-iscsi-volume"],
    ["aws wafv2 list-web-acls --scope REGIONAL", "observe", "wafv2 list-web-acls"],
    ["aws dynamodb execute-statement --statement x", "modify", "dynamodb execute-statement"],
    ["aws ec2 wait instance-terminated --instance-ids i-1", "observe", "ec2 wait instance-terminated"],
  ]);
});

test("help and version send nothing", () => {
  check([
    ["aws --version", "observe", "--version"],
    ["aws help", "observe", "help"],
    ["aws ec2 help", "observe", "ec2 help"],
    ["aws ec2 terminate-instances help", "observe", "ec2 terminate-instances"],
    ["aws ec2 terminate-instances --instance-ids help", "sensitive", "ec2 terminate-instances"],
    ["aws s3 rm s3://acme/k --version", "sensitive", "s3 rm"],
  ]);
});

test("what cannot be read is unknown", () => {
  check([
    ["aws", "unknown", ""],
    ["aws frob list", "unknown", "frob"],
    ["aws ec2", "unknown", "ec2"],
    ["aws ec2 frob-instances", "unknown", "ec2 frob-instances"],
    ["aws --frob ec2 describe-instances", "unknown", ""],
    ["aws --co text ec2 describe-instances", "observe", "ec2 describe-instances"],
    ["aws --no ec2 describe-instances", "unknown", ""],
    ["aws -x ec2 describe-instances", "unknown", ""],
    ["aws ec2 --instance-ids i-1 terminate-instances", "unknown", ""],
    ["aws __proto__ constructor", "unknown", "__proto__"],
    ["aws ec2 constructor", "unknown", "ec2 constructor"],
  ]);
});

test("the file commands of s3 depend on which side is in S3", () => {
  const acme = { service: "s3", bucket: "acme" };
  check([
    ["aws s3 ls", "observe", "s3 ls", { service: "s3" }],
    ["aws s3 ls s3://acme --recursive", "observe", "s3 ls", acme],
    ["aws s3 cp f s3://acme/k", "modify", "s3 cp", acme],
    ["aws s3 cp s3://acme/k f", "observe", "s3 cp", acme],
    ["aws s3 cp s3://acme/k -", "observe", "s3 cp", acme],
    ["aws s3 cp s3://a/k s3://b/k", "modify", "s3 cp", { service: "s3" }],
    ["aws s3 cp --storage-class STANDARD_IA f s3://acme/k", "modify", "s3 cp", acme],
    ["aws s3 cp f s3://acme/k --acl public-read", "break-glass", "s3 cp"],
    ["aws s3 cp f s3://acme/k --grants read=uri=x", "break-glass", "s3 cp"],
    ["aws s3 mv f s3://acme/k", "modify", "s3 mv"],
    ["aws s3 mv s3://acme/k f", "sensitive", "s3 mv"],
    ["aws s3 sync . s3://acme", "modify", "s3 sync"],
    ["aws s3 sync . s3://acme --delete", "sensitive", "s3 sync"],
    ["aws s3 sync s3://acme .", "observe", "s3 sync"],
    ["aws s3 sync s3://acme . --delete", "modify", "s3 sync"],
    ["aws s3 rm s3://acme/k", "sensitive", "s3 rm", acme],
    ["aws s3 rm", "sensitive", "s3 rm"],
    ["aws s3 rb s3://acme --force", "sensitive", "s3 rb"],
    ["aws s3 mb s3://acme", "modify", "s3 mb"],
    ["aws s3 presign s3://acme/k", "sensitive", "s3 presign"],
    ["aws s3 website s3://acme", "modify", "s3 website"],
    ["aws s3 frob s3://acme", "unknown", "s3"],
  ]);
});

test("the CLI's other own commands", () => {
  check([
    ["aws configure", "modify", "configure"],
    ["aws configure list", "observe", "configure list"],
    ["aws configure get region", "observe", "configure get"],
    ["aws configure get aws_secret_access_key --profile p", "sensitive", "configure get"],
    ["aws configure export-credentials", "sensitive", "configure export-credentials"],
    ["aws sso login --profile p", "observe", "sso login"],
    ["aws login", "observe", "login"],
    ["aws ecr get-login-password", "sensitive", "ecr get-login-password"],
    ["aws eks update-kubeconfig --name c", "observe", "eks update-kubeconfig"],
    ["aws eks get-token --cluster-name c", "sensitive", "eks get-token"],
    ["aws cloudformation deploy --stack-name s", "modify", "cloudformation deploy"],
    ["aws cloudformation delete-stack --stack-name s", "sensitive", "cloudformation delete-stack"],
    ["aws logs tail g --follow", "observe", "logs tail"],
    ["aws ssm start-session --target i-1", "break-glass", "ssm start-session"],
    ["aws ecs execute-command --cluster c", "break-glass", "ecs execute-command"],
    ["aws ec2-instance-connect ssh --instance-id i-1", "break-glass", "ec2-instance-connect ssh"],
    ["aws emr terminate-clusters --cluster-ids j", "sensitive", "emr terminate-clusters"],
    ["aws emr create-default-roles", "break-glass", "emr create-default-roles"],
    ["aws rds generate-db-auth-token --hostname h", "sensitive", "rds generate-db-auth-token"],
    ["aws codecommit credential-helper get", "sensitive", "codecommit credential-helper"],
  ]);
});
