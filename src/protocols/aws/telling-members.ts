// Operations that mostly describe and by some of their members do more: set a database's login, the
// commands that a machine runs at its start, who may use an endpoint, or a container that takes its
// host. Owns which members those are; reads the form and the query of AWS's query protocol, JSON,
// and the CLI's flags.

import { parseStrictJson } from "../../wire/jsonrpc/strict-json.ts";
import { decodeLoosely } from "../lenient-path.ts";

/** Members that tell, as `name=value` in lower case at the beginning of a pair. */
export interface TellingMembers {
  readonly members: RegExp;
  readonly reason: string;
}

const LOGIN: TellingMembers = {
  members:
    /^(?:(?:new)?master(?:username|userpassword)|(?:manage|rotate)masteruserpassword|adminuserpassword|adminusername|manageadminpassword|authtoken=|authtokenupdatestrategy|masteruseroptions)/,
  reason: "sets a database's login",
};
const SCRIPT: TellingMembers = {
  members: /^(?:userdata|attribute=userdata)/,
  reason: "sets what the machine runs at its start",
};
const ACCESS: TellingMembers = {
  members: /^(?:policydocument|resetpolicy|accesspolicies|masteruseroptions|anonymousauthenabled)/,
  reason: "changes who may use it",
};
const HOST: TellingMembers = {
  members:
    /^(?:privileged=true|sourcepath=|pidmode=host|ipcmode=host|hostpid=true|hostipc=true|hostpath|add=(?:cap_)?(?:all|sys_|dac_|bpf|perfmon|mknod))/,
  reason: "holds a container that takes its host",
};

/** By API and operation, as the CLI calls the one and the model the other. */
export const TELLING_MEMBERS: ReadonlyMap<string, TellingMembers> = new Map([
  ["ec2:ModifyInstanceAttribute", SCRIPT],
  ["ec2:ModifyVpcEndpoint", ACCESS],
  ...["rds", "docdb", "neptune"].flatMap((api) =>
    ["ModifyDBInstance", "ModifyDBCluster"].map((name) => [`${api}:${name}`, LOGIN] as const),
  ),
  ["redshift:ModifyCluster", LOGIN],
  ["redshift-serverless:UpdateNamespace", LOGIN],
  ["lightsail:UpdateRelationalDatabase", LOGIN],
  ["elasticache:ModifyReplicationGroup", LOGIN],
  ["elasticache:ModifyCacheCluster", LOGIN],
  ["opensearch:UpdateDomainConfig", ACCESS],
  ["es:UpdateElasticsearchDomainConfig", ACCESS],
  ["ecs:RegisterTaskDefinition", HOST],
  ["batch:RegisterJobDefinition", HOST],
]);

/** Octets that are looked at: every one of these operations takes far less. */
const MOST = 128 * 1024;

/** Whether the body or the query has one of them; undefined where they cannot be read. */
export function haveTellingMembers(
  { members }: TellingMembers,
  text: string,
  query: string | undefined,
): boolean | undefined {
  if (text.length + (query ?? "").length > MOST) return undefined;
  if (pairsTell(members, query ?? "")) return true;
  if (!/^\s*[[{]/.test(text)) return pairsTell(members, text);
  const parsed = parseStrictJson(text);
  return "problem" in parsed ? undefined : valueTells(members, parsed.value, 0);
}

/** Whether a flag of the CLI and its value are one of them. */
export function isTellingFlag({ members }: TellingMembers, flag: string, value: string): boolean {
  const pair = `${flag.replaceAll("-", "")}=${value.slice(0, 40)}`.toLowerCase();
  if (members.test(pair)) return true;
  const parsed = /^\s*[[{]/.test(value) ? parseStrictJson(value) : undefined;
  if (parsed !== undefined && "value" in parsed) return valueTells(members, parsed.value, 0);
  // The CLI's shorthand: `name=a,privileged=true`.
  return value.split(/[,{}[\]\s]/, 1_000).some((part) => members.test(part.toLowerCase()));
}

/** Pairs of a form, name and value as they are meant; the part of a name before its first dot is the member. */
function pairsTell(members: RegExp, form: string): boolean {
  const found = new RegExp(`(?:^|[&?;])\\s*${members.source.slice(1)}`, "i");
  return found.test(decodeLoosely(form));
}

const MAX_DEPTH = 8;

function valueTells(members: RegExp, value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.some((item) => valueTells(members, item, depth + 1));
  return Object.entries(value).some(([name, member]) =>
    [member]
      .flat()
      .some(
        (one) =>
          members.test(`${name}=${typeof one === "object" ? "" : String(one).slice(0, 40)}`.toLowerCase()) ||
          valueTells(members, one, depth + 1),
      ),
  );
}
