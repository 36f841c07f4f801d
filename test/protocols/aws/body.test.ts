// Operations of AWS that are judged by their body: SQL, PartiQL and batches with deletions, as
// requests and as words.

import { describe, expect, test } from "bun:test";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { awsClassifier } from "../../../src/protocols/aws/classify.ts";
import { requestOf } from "../request-of.ts";

const TARGETS: Readonly<Record<string, readonly [host: string, target: string]>> = {
  athena: ["athena", "AmazonAthena.StartQueryExecution"],
  redshift: ["redshift-data", "RedshiftData.ExecuteStatement"],
  redshiftBatch: ["redshift-data", "RedshiftData.BatchExecuteStatement"],
  partiql: ["dynamodb", "DynamoDB_20120810.ExecuteStatement"],
  partiqlBatch: ["dynamodb", "DynamoDB_20120810.BatchExecuteStatement"],
  transaction: ["dynamodb", "DynamoDB_20120810.ExecuteTransaction"],
  timestream: ["query.timestream", "Timestream_20181101.Query"],
  batchWrite: ["dynamodb", "DynamoDB_20120810.BatchWriteItem"],
  transactWrite: ["dynamodb", "DynamoDB_20120810.TransactWriteItems"],
};

const BODIES: readonly (readonly [operation: string, body: unknown, tier: TierOrUnknown])[] = [
  ["athena", { QueryString: "SELECT * FROM t" }, "observe"],
  ["athena", { QueryString: "INSERT INTO t VALUES (1)" }, "modify"],
  ["athena", { QueryString: "ALTER TABLE t DROP PARTITION (a=1)" }, "sensitive"],
  ["athena", { QueryString: "example" }, "modify"],
  ["athena", {}, "modify"],
  ["redshift", { Sql: "UNLOAD ('select 1') TO 's3://b'" }, "modify"],
  ["redshift", { Sql: "GRANT ALL ON t TO x" }, "break-glass"],
  ["redshiftBatch", { Sqls: ["select 1", "delete from t"] }, "sensitive"],
  ["redshiftBatch", { Sqls: ["select 1", "select 2"] }, "observe"],
  ["partiql", { Statement: "SELECT * FROM t WHERE pk='DELETE'" }, "observe"],
  ["partiql", { Statement: "DELETE FROM t WHERE pk='a'" }, "sensitive"],
  [
    "partiqlBatch",
    { Statements: [{ Statement: "SELECT * FROM t" }, { Statement: "UPDATE t SET a=1" }] },
    "modify",
  ],
  ["transaction", { TransactStatements: [{ Statement: "DELETE FROM u WHERE pk='b'" }] }, "sensitive"],
  ["timestream", { QueryString: "SELECT 1" }, "observe"],
  ["timestream", { QueryString: "UNLOAD (SELECT 1) TO 's3://b/p'" }, "modify"],
  ["batchWrite", { RequestItems: { t: [{ PutRequest: { Item: {} } }] } }, "modify"],
  [
    "batchWrite",
    { RequestItems: { t: [{ PutRequest: { Item: {} } }, { DeleteRequest: { Key: {} } }] } },
    "sensitive",
  ],
  ["transactWrite", { TransactItems: [{ Put: { Item: { Delete: { S: "a" } } } }] }, "modify"],
  ["transactWrite", { TransactItems: [{ Put: {} }, { Delete: {} }] }, "sensitive"],
];

describe("a request", () => {
  for (const [operation, body, tier] of BODIES)
    test(`${operation} ${JSON.stringify(body)}`, () => {
      const [host, target] = TARGETS[operation] ?? ["", ""];
      const request = requestOf(`POST https://${host}.us-east-1.amazonaws.com/`, {
        headers: [
          ["X-Amz-Target", target],
          ["Content-Type", "application/x-amz-json-1.0"],
        ],
        body: JSON.stringify(body),
      });
      expect(awsClassifier.needsBody(request)).toBe(true);
      expect(awsClassifier.classify(request).tier).toBe(tier);
      const unread = awsClassifier.classify({ ...request, body: { kind: "unread", why: "it is long" } });
      expect(unread.tier).toBe("unknown");
    });
  test("rds-data by its paths", () => {
    for (const [path, sql, tier] of [
      ["Execute", "DROP TABLE t", "sensitive"],
      ["Execute", "SELECT 1", "observe"],
      ["BatchExecute", "DELETE FROM t WHERE a=:a", "sensitive"],
    ] as const)
      expect(
        awsClassifier.classify(
          requestOf(`POST https://rds-data.us-east-1.amazonaws.com/${path}`, {
            body: JSON.stringify({ sql }),
          }),
        ).tier,
      ).toBe(tier);
  });
});

describe("a command line is as strict as its request", () => {
  const rows: readonly (readonly [words: readonly string[], tier: TierOrUnknown])[] = [
    [["athena", "start-query-execution", "--query-string", "SELECT 1"], "observe"],
    [["athena", "start-query-execution", "--query-string", "DROP TABLE t"], "sensitive"],
    [["athena", "start-query-execution", "--query-string=DROP TABLE t"], "sensitive"],
    [["athena", "start-query-execution", "--query-string", "file://q.sql"], "modify"],
    [["athena", "start-query-execution", "--cli-input-json", '{"QueryString":"DROP TABLE t"}'], "sensitive"],
    [["redshift-data", "batch-execute-statement", "--sqls", "select 1", "delete from t"], "sensitive"],
    [["redshift-data", "execute-statement", "--sql", "GRANT ALL ON t TO x"], "break-glass"],
    [["rds-data", "execute-statement", "--sql", "TRUNCATE t", "--resource-arn", "a"], "sensitive"],
    [["dynamodb", "execute-statement", "--statement", "SELECT * FROM t"], "observe"],
    [["dynamodb", "execute-statement", "--statement", "DELETE FROM t WHERE pk='a'"], "sensitive"],
    [["dynamodb", "execute-transaction", "--transact-statements", "Statement=DELETE FROM t"], "sensitive"],
    [
      ["dynamodb", "batch-write-item", "--request-items", '{"t":[{"DeleteRequest":{"Key":{}}}]}'],
      "sensitive",
    ],
    [["dynamodb", "batch-write-item", "--request-items", '{"t":[{"PutRequest":{"Item":{}}}]}'], "modify"],
    [
      ["dynamodb", "batch-write-item", "--request-items", "t=[{DeleteRequest={Key={pk={S=a}}}}]"],
      "sensitive",
    ],
    [["dynamodb", "transact-write-items", "--transact-items", '[{"Delete":{}}]'], "sensitive"],
    [["timestream-query", "query", "--query-string", "UNLOAD (SELECT 1) TO 's3://b'"], "modify"],
  ];
  for (const [words, tier] of rows)
    test(words.join(" "), () => expect(awsClassifier.classifyArgv(["aws", ...words]).tier).toBe(tier));
});

describe("a change of DNS records", () => {
  const change = (action: string) =>
    `<C xmlns="x"><ChangeBatch><Changes><Change><Action>UPSERT</Action></Change><Change><Action>${action}</Action></Change></Changes></ChangeBatch></C>`;
  for (const [action, tier] of [
    ["CREATE", "modify"],
    [" UPSERT ", "modify"],
    ["DELETE", "sensitive"],
    ["&#68;ELETE", "sensitive"],
    ["<![CDATA[DELETE]]>", "sensitive"],
  ] as const)
    test(action, () => {
      const request = requestOf("POST https://route53.amazonaws.com/2013-04-01/hostedzone/Z/rrset/", {
        headers: [["Content-Type", "text/xml"]],
        body: change(action),
      });
      expect(awsClassifier.needsBody(request)).toBe(true);
      expect(awsClassifier.classify(request).tier).toBe(tier);
    });
  test("as words", () => {
    const line = ["aws", "route53", "change-resource-record-sets", "--hosted-zone-id", "Z", "--change-batch"];
    const tierOf = (batch: string) => awsClassifier.classifyArgv([...line, batch]).tier;
    expect(tierOf('{"Changes":[{"Action":"UPSERT"}]}')).toBe("modify");
    expect(tierOf('{"Changes":[{"Action":"DELETE"}]}')).toBe("sensitive");
    expect(tierOf("Changes=[{Action=DELETE}]")).toBe("sensitive");
  });
});

describe("members that do more than the operation they stand in", () => {
  const FORM = { headers: [["Content-Type", "application/x-www-form-urlencoded"]] as const };
  const AMZ = "application/x-amz-json-1.1";
  const tierOf = (
    line: string,
    body?: string,
    headers: readonly (readonly [string, string])[] = FORM.headers,
  ) => awsClassifier.classify(requestOf(line, { headers, ...(body === undefined ? {} : { body }) })).tier;
  const RDS = "POST https://rds.eu-west-1.amazonaws.com/";
  const EC2 = "POST https://ec2.eu-west-1.amazonaws.com/";

  const forms: readonly (readonly [line: string, body: string | undefined, tier: TierOrUnknown])[] = [
    [RDS, "Action=ModifyDBInstance&DBInstanceIdentifier=a&AllocatedStorage=20", "modify"],
    [RDS, "Action=ModifyDBInstance&DBInstanceIdentifier=MasterUserPassword", "modify"],
    [RDS, "Action=ModifyDBInstance&MasterUserPassword=x", "break-glass"],
    [RDS, "Action=ModifyDBCluster&%4dasterUserPassword=x", "break-glass"],
    [`${RDS.replace("POST", "GET")}?Action=ModifyDBInstance&MasterUserPassword=x`, undefined, "break-glass"],
    [EC2, "Action=ModifyInstanceAttribute&InstanceId=i&EbsOptimized.Value=true", "modify"],
    [EC2, "Action=ModifyInstanceAttribute&InstanceId=i&UserData.Value=IyEv", "break-glass"],
    [EC2, "Action=ModifyInstanceAttribute&Attribute=userData&Value=IyEv", "break-glass"],
    [EC2, "Action=ModifyVpcEndpoint&VpcEndpointId=v&PolicyDocument=x", "break-glass"],
  ];
  for (const [line, body, tier] of forms)
    test(`${line} ${body}`, () => expect(tierOf(line, body)).toBe(tier));

  test("a body that is far longer than any of them is not read", () => {
    expect(tierOf(RDS, `Action=ModifyDBInstance&${"a=b&".repeat(40_000)}`)).toBe("unknown");
  });

  const ECS = "POST https://ecs.eu-west-1.amazonaws.com/";
  const register = (body: unknown) =>
    tierOf(ECS, JSON.stringify(body), [
      ["Content-Type", AMZ],
      ["X-Amz-Target", "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition"],
    ]);

  test("a container that takes its host", () => {
    expect(register({ containerDefinitions: [{ name: "a", privileged: false }] })).toBe("modify");
    expect(register({ containerDefinitions: [{ name: "a", privileged: true }] })).toBe("break-glass");
    expect(register({ volumes: [{ host: { sourcePath: "/" } }] })).toBe("break-glass");
    expect(register({ volumes: [{ name: "scratch", host: {} }] })).toBe("modify");
    const capabilities = { add: ["SYS_ADMIN"] };
    expect(register({ containerDefinitions: [{ linuxParameters: { capabilities } }] })).toBe("break-glass");
  });

  for (const [argv, tier] of [
    ["aws rds modify-db-instance --db-instance-identifier a --allocated-storage 20", "modify"],
    ["aws rds modify-db-instance --db-instance-identifier a --master-user-password x", "break-glass"],
    ["aws ec2 modify-instance-attribute --instance-id i --user-data file://a", "break-glass"],
    ["aws ec2 modify-instance-attribute --instance-id i --attribute userData --value x", "break-glass"],
    [
      "aws ecs register-task-definition --family f --container-definitions name=a,privileged=true",
      "break-glass",
    ],
  ] as const)
    test(argv, () => expect(awsClassifier.classifyArgv(argv.split(" ")).tier).toBe(tier));

  test("SQL under its name in another case is SQL", () => {
    const sql = (body: string) =>
      tierOf("POST https://redshift-data.eu-west-1.amazonaws.com/", body, [
        ["Content-Type", AMZ],
        ["X-Amz-Target", "RedshiftData.ExecuteStatement"],
      ]);
    expect(sql('{"Sql":"SELECT 1"}')).toBe("observe");
    expect(sql('{"Sql":"SELECT 1","sql":"DROP TABLE t"}')).toBe("sensitive");
  });
});
