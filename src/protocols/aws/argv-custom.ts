// Commands that the AWS CLI adds of its own: they are no operations of an API, or hide one of that
// name. A table, because nothing about them can be derived; `s3` has a file of its own.

import type { Tier } from "../../model/tier.ts";
import type { KnownOperation } from "../known-operation.ts";
import type { CustomCommand } from "./s3/argv.ts";

/** Tier, why, IAM prefix, and the operations that it sends. */
type Row = readonly [tier: Tier, reason: string, service: string, operations?: string];

const LOCAL = "configure";

const COMMANDS: Readonly<Record<string, Row>> = {
  "configure list": ["observe", "prints where the configuration comes from", LOCAL],
  "configure list-profiles": ["observe", "lists profiles", LOCAL],
  "configure set": ["modify", "writes the CLI's configuration", LOCAL],
  "configure import": ["modify", "writes the CLI's configuration", LOCAL],
  "configure add-model": ["modify", "adds an API model to the CLI", LOCAL],
  "configure sso": ["modify", "writes the CLI's configuration", LOCAL],
  "configure sso-session": ["modify", "writes the CLI's configuration", LOCAL],
  "configure mfa-login": ["sensitive", "writes temporary credentials to a profile", "sts", "GetSessionToken"],
  "configure export-credentials": ["sensitive", "prints credentials", LOCAL],
  "history list": ["observe", "lists past commands", "history"],
  "history show": ["observe", "shows a past command", "history"],
  "sso login": ["observe", "is the CLI's own login", "sso"],
  "sso logout": ["observe", "is the CLI's own logout", "sso"],
  "cloudformation deploy": [
    "modify",
    "makes and runs a change set",
    "cloudformation",
    "CreateChangeSet ExecuteChangeSet",
  ],
  "cloudformation package": ["modify", "uploads artifacts", "cloudformation", "PutObject"],
  "cloudfront sign": ["sensitive", "makes a link that needs no credentials", "cloudfront"],
  "cloudtrail create-subscription": [
    "modify",
    "creates a trail, a bucket and a topic",
    "cloudtrail",
    "CreateTrail",
  ],
  "cloudtrail update-subscription": ["modify", "updates a trail", "cloudtrail", "UpdateTrail"],
  "cloudtrail validate-logs": ["observe", "reads and checks logs", "cloudtrail"],
  "cloudtrail verify-query-results": ["observe", "reads and checks results", "cloudtrail"],
  "codeartifact login": [
    "sensitive",
    "fetches a token for a package manager",
    "codeartifact",
    "GetAuthorizationToken",
  ],
  "codecommit credential-helper": ["sensitive", "prints a git credential", "codecommit"],
  "configservice subscribe": [
    "modify",
    "starts recording configurations",
    "config",
    "PutConfigurationRecorder",
  ],
  "configservice get-status": ["observe", "reads the recorder's status", "config"],
  "datapipeline create-default-roles": [
    "break-glass",
    "creates IAM roles",
    "iam",
    "CreateRole PutRolePolicy",
  ],
  "datapipeline list-runs": ["observe", "lists runs", "datapipeline", "QueryObjects"],
  "ddb put": ["modify", "writes items", "dynamodb", "PutItem"],
  "ddb select": ["observe", "reads items", "dynamodb", "Query Scan"],
  "deploy push": ["modify", "uploads and registers a revision", "codedeploy", "RegisterApplicationRevision"],
  "deploy register": [
    "break-glass",
    "registers an instance with an IAM user that it may create",
    "codedeploy",
    "RegisterOnPremisesInstance",
  ],
  "deploy deregister": [
    "break-glass",
    "deregisters an instance and deletes its IAM user",
    "codedeploy",
    "DeregisterOnPremisesInstance",
  ],
  "deploy install": ["modify", "installs the agent on this machine", "codedeploy"],
  "deploy uninstall": ["modify", "removes the agent from this machine", "codedeploy"],
  "dlm create-default-role": ["break-glass", "creates an IAM role", "iam", "CreateRole AttachRolePolicy"],
  "dsql generate-db-connect-auth-token": ["sensitive", "makes a database token", "dsql", "DbConnect"],
  "dsql generate-db-connect-admin-auth-token": [
    "sensitive",
    "makes a database administrator's token",
    "dsql",
    "DbConnectAdmin",
  ],
  "ec2-instance-connect ssh": [
    "break-glass",
    "opens a shell on a host",
    "ec2-instance-connect",
    "SendSSHPublicKey",
  ],
  "ec2-instance-connect open-tunnel": [
    "break-glass",
    "opens a tunnel to a host",
    "ec2-instance-connect",
    "OpenTunnel",
  ],
  "ecr get-login": ["sensitive", "prints a registry credential", "ecr", "GetAuthorizationToken"],
  "ecr get-login-password": ["sensitive", "prints a registry credential", "ecr", "GetAuthorizationToken"],
  "ecr-public get-login-password": [
    "sensitive",
    "prints a registry credential",
    "ecr-public",
    "GetAuthorizationToken",
  ],
  "ecs deploy": ["modify", "registers a task definition and deploys it", "ecs", "RegisterTaskDefinition"],
  "ecs monitor-express-gateway-service": [
    "observe",
    "reads a service's state",
    "ecs",
    "DescribeExpressGatewayService",
  ],
  "eks get-token": ["sensitive", "prints a cluster token", "eks"],
  "eks update-kubeconfig": [
    "observe",
    "reads a cluster and writes the local kubeconfig",
    "eks",
    "DescribeCluster",
  ],
  "emr add-instance-groups": ["modify", "adds instances", "elasticmapreduce", "AddInstanceGroups"],
  "emr add-steps": ["modify", "adds steps", "elasticmapreduce", "AddJobFlowSteps"],
  "emr create-cluster": ["modify", "creates a cluster", "elasticmapreduce", "RunJobFlow"],
  "emr create-default-roles": ["break-glass", "creates IAM roles", "iam", "CreateRole AttachRolePolicy"],
  "emr create-hbase-backup": ["modify", "adds a step", "elasticmapreduce", "AddJobFlowSteps"],
  "emr describe-cluster": ["observe", "reads a cluster", "elasticmapreduce", "DescribeCluster"],
  "emr disable-hbase-backups": ["modify", "adds a step", "elasticmapreduce", "AddJobFlowSteps"],
  "emr get": ["break-glass", "copies files from a host", "elasticmapreduce"],
  "emr install-applications": ["modify", "adds steps", "elasticmapreduce", "AddJobFlowSteps"],
  "emr list-clusters": ["observe", "lists clusters", "elasticmapreduce", "ListClusters"],
  "emr modify-cluster-attributes": [
    "modify",
    "changes a cluster",
    "elasticmapreduce",
    "SetVisibleToAllUsers SetTerminationProtection",
  ],
  "emr put": ["break-glass", "copies files to a host", "elasticmapreduce"],
  "emr restore-from-hbase-backup": ["modify", "adds a step", "elasticmapreduce", "AddJobFlowSteps"],
  "emr schedule-hbase-backup": ["modify", "adds a step", "elasticmapreduce", "AddJobFlowSteps"],
  "emr socks": ["break-glass", "opens a tunnel to a host", "elasticmapreduce"],
  "emr ssh": ["break-glass", "opens a shell on a host", "elasticmapreduce"],
  "emr terminate-clusters": ["sensitive", "terminates clusters", "elasticmapreduce", "TerminateJobFlows"],
  "emr-containers update-role-trust-policy": [
    "break-glass",
    "changes an IAM role's trust policy",
    "iam",
    "UpdateAssumeRolePolicy",
  ],
  "gamelift get-game-session-log": [
    "sensitive",
    "fetches a log by a link that needs no credentials",
    "gamelift",
    "GetGameSessionLogUrl",
  ],
  "gamelift upload-build": ["modify", "uploads a build", "gamelift", "CreateBuild RequestUploadCredentials"],
  "lightsail push-container-image": ["modify", "uploads an image", "lightsail", "RegisterContainerImage"],
  "logs start-live-tail": ["observe", "reads logs", "logs", "StartLiveTail"],
  "logs tail": ["observe", "reads logs", "logs", "FilterLogEvents"],
  "opsworks register": ["break-glass", "registers an instance with an IAM user that it creates", "opsworks"],
  "rds add-option-to-option-group": ["modify", "changes an option group", "rds", "ModifyOptionGroup"],
  "rds generate-db-auth-token": ["sensitive", "makes a database token", "rds-db", "connect"],
  "rds remove-option-from-option-group": ["modify", "changes an option group", "rds", "ModifyOptionGroup"],
  "servicecatalog generate": [
    "modify",
    "creates or updates a product from a template",
    "servicecatalog",
    "CreateProduct",
  ],
  "signin login": ["observe", "is the CLI's own login", "signin"],
};

/** Commands without a second word. */
const SINGLE: Readonly<Record<string, Row>> = {
  configure: ["modify", "writes the CLI's configuration", LOCAL],
  login: ["observe", "is the CLI's own login", "signin"],
  logout: ["observe", "is the CLI's own logout", "signin"],
};

/** Classifies one of the CLI's own commands; undefined when it is none. */
export function customCommand(
  service: string,
  operation: string | undefined,
  args: readonly string[],
): CustomCommand | undefined {
  if (service === "configure" && operation === "get") return configureGet(args);
  const isSingle = operation === undefined || service === "login" || service === "logout";
  const command = isSingle ? service : `${service} ${operation}`;
  const table = isSingle ? SINGLE : COMMANDS;
  const row = Object.hasOwn(table, command) ? table[command] : undefined;
  if (row === undefined) return undefined;
  const [tier, reason, iam, operations] = row;
  const aliases = operations === undefined ? [] : operations.split(" ").map((one) => `${iam}:${one}`);
  return { tier, command, aliases, service: iam, reason };
}

/** The CLI's own commands with the operations that they send, as policies name them. */
export function customOperations(): readonly KnownOperation[] {
  const rows = [...Object.entries(COMMANDS), ...Object.entries(SINGLE)];
  return [
    ...rows.map(([command, [tier, , iam, operations = ""]]) => ({
      command,
      aliases: operations.split(" ").flatMap((one) => (one === "" ? [] : [`${iam}:${one}`])),
      tier,
      shown: `aws ${command} (command line)`,
    })),
    { command: "configure get", aliases: [], tier: "observe", shown: "aws configure get (command line)" },
  ];
}

/** `configure get` prints one setting, which may be the secret key itself. */
function configureGet(args: readonly string[]): CustomCommand {
  const isSecret = args.some((arg) => /secret|token|password/i.test(arg));
  return {
    tier: isSecret ? "sensitive" : "observe",
    command: "configure get",
    aliases: [],
    service: LOCAL,
    reason: isSecret ? "prints a secret" : "prints a setting",
  };
}
