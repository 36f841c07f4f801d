// From an operation's IAM prefix, name and published access level to its tier. The access level is
// the datum; the rules here correct it where it hides things that a person would want to know:
// credentials, commands on hosts, deletion, access policies, model inference, login. Knows no
// request. First rule that applies wins, strict ones first.

import type { Tier } from "../../model/tier.ts";
import type { AccessLevel, AwsOperation } from "./catalogue.ts";
import answers from "./data/credential-answers.txt" with { type: "text" };
import { exceptionOf } from "./exceptions.ts";

/** A tier and the rule or datum that gave it, as a clause. */
export interface AwsTier {
  readonly tier: Tier;
  readonly reason: string;
}

const LEVEL_NAMES: Readonly<Record<AccessLevel, string>> = {
  list: "access level List",
  read: "access level Read",
  write: "access level Write",
  tagging: "access level Tagging",
  permissions: "access level Permissions management",
  "-": "no published access level",
};

/** Verbs that change nothing, for operations without a published level. */
const READ_VERB =
  /^(?:Admin|Batch|Transact)?(?:Get|List|Describe|Search|Head|Lookup|Count|Scan|Query|Preview|Validate|Check|View|Download|Is|Summarize)(?=[A-Z]|$)/;

const DELETION =
  /^(?:Admin|Batch|Bulk|Force)?(?:Delete|Terminate|Purge|Destroy|Erase|Wipe|Drop)(?=[A-Z]|$)|^(?:Start|Create|Schedule|\w+And)\w*Delet(?!\w*Protection)/;

/** Answers that hold a secret or a credential. */
const CREDENTIAL_READ =
  /^(?:Batch)?(?:Get|Retrieve|Request|Acquire|Download|Assume|Exchange|Generate|Create|Complete)\w*(?:SecretValue|Credentials(?:For\w+|With\w+)?|AuthToken|AccessToken|AuthorizationToken|FederationToken|SessionToken|ClientToken|ChangeToken|IdToken\w*|Token(?:s|For\w+|From\w+|Auth)?|Password(?:Data)?|KeyPairs?|AccessKeys?|ApiKeys?|APIKeys?|PrivateKeys?|AuthCode|UnlockCode|VerificationCode|Presigned\w*Urls?|EmbedUrl)$|^Assume\w*Role/;

/** Writes that hand out a credential, or set one. */
const CREDENTIAL_WRITE =
  /^(?:Admin|Batch)?(?:(?:Create|Issue|Generate|Rotate|Reset|Regenerate|Refresh|Assume|Get|Set|Change|Download|Retrieve|Exchange|Add)\w*(?:AccessKeys?|ApiKeys?|APIKeys?|KeyPairs?|Credentials?(?:For\w+|With\w+)?|Tokens?(?:For\w+|From\w+|With\w+)?|Password|ClientSecret|AuthCode|StreamKey|RegistryLogin|EmbedUrl\w*|[Pp]resigned\w*U(?:rl|RL)s?|LoginProfile|AccessDetails|KeysAndCertificate)|Assume\w*Role\w*)$/;

/** Writes to policies that say who may do what. */
const ACCESS_POLICY =
  /^(?:Put|Set|Update|Create|Add|Remove|Delete|Attach|Detach|Modify|Associate|Disassociate|Grant|Revoke)\w*(?:ResourcePolicy(?:Statement)?|AccessPolicy|AccessEntry|BucketPolicy|PermissionsPolicy|InlinePolicy\w*|PermissionSet|AuthPolicy|(?:Sink|Cluster|Channel|Endpoint|Destination|Contact|Application|Group|Project|VaultAccess)Policy|Permissions?(?:V2|Statement)?|AccessGrant\w*|AccountAssignment)$|PublicAccessBlock$|BlockPublicAccess/;

/** Writes by which others get a copy of an account's data, or reach it. */
const SHARING =
  /^(?:Modify|Reset|Set|Update)\w*(?:Image|Snapshot)\w*Attribute$|^(?:Create|Associate|Update|Promote|Replace)\w*ResourceShare\w*$|^Enable\w*Sharing\w*$|^Authorize\w*(?:Snapshot|Endpoint|Cluster|Share|Data)\w*(?:Access|Share)?$|^Share(?=[A-Z])/;

/** Logins of databases and brokers, by service. */
const LOGINS = /^(?:Create|Modify|Update)User(?:Group)?$/;
const LOGIN_SERVICES: ReadonlySet<string> = new Set(["elasticache", "memorydb", "mq"]);

/** Words that write or delete, of a name whose first word reads: `GetOrCreateThing`, `DescribeAndDelete`. */
const LATER_WRITE =
  /[a-z0-9](?:And|Or|Then)(?:Create|Set|Put|Update|Modify|Delete|Remove|Insert|Upsert|Purge|Replace|Increment|Start|Stop|Register|Write|Store)/;

let answering: ReadonlySet<string> | undefined;

/** Whether the model of an operation's answer holds a credential: lines of data/credential-answers.txt. */
function answersCredential(cli: string, name: string): boolean {
  answering ??= new Set(
    answers.split("\n").flatMap((line) => (line.startsWith("#") ? [] : line.split("\t", 1))),
  );
  return answering.has(`${cli} ${name}`);
}

/** The tier of an operation. */
export function awsTier(operation: AwsOperation): AwsTier {
  const { name, level, api } = operation;
  const action = `${api.iam}:${name}`;
  const exception = exceptionOf(action);
  if (exception !== undefined) return { tier: exception[0], reason: `${action} ${exception[1]}` };
  const [tier, rule] = decide(operation);
  const datum = `IAM ${LEVEL_NAMES[level]}`;
  return { tier, reason: rule === "" ? `${action}: ${datum}` : `${action} ${rule} (${datum})` };
}

function decide({ api, name, level }: AwsOperation): readonly [Tier, string] {
  const { iam } = api;
  if (level === "tagging" && iam !== "secretsmanager") return ["modify", ""];
  if (level === "permissions") return ["break-glass", "changes who may do what"];
  if (
    level === "list" ||
    level === "read" ||
    (level === "-" && READ_VERB.test(name) && !LATER_WRITE.test(name))
  ) {
    if (CREDENTIAL_READ.test(name) || answersCredential(api.cli, name))
      return ["sensitive", "returns a credential"];
    if (level !== "-" && name.startsWith("Delete")) return ["sensitive", "deletes"];
    return ["observe", ""];
  }
  if (level === "-" && /^(?:Tag|Untag)/.test(name)) return ["modify", ""];
  if (iam === "iam") return ["break-glass", "writes to IAM"];
  if (ACCESS_POLICY.test(name)) return ["break-glass", "changes who may do what"];
  if (SHARING.test(name)) return ["break-glass", "gives others a copy or access"];
  if (LOGINS.test(name) && LOGIN_SERVICES.has(iam)) return ["break-glass", "changes a login"];
  if (CREDENTIAL_WRITE.test(name)) return ["break-glass", "issues or sets a credential"];
  if (DELETION.test(name)) return ["sensitive", "deletes"];
  if (iam === "secretsmanager") return ["sensitive", "writes a secret"];
  return ["modify", ""];
}
