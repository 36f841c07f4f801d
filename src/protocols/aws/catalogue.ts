// The published facts about AWS's APIs, from apis.tsv and operations.tsv: names, hosts, operations,
// REST bindings, IAM access levels. Knows no request and no tier. Nothing is read at import, and
// the operations of an API not before somebody asks for that API: the start of the CLI must not pay
// for data that it does not use.

import { Catalogue, type CatalogueRoute } from "../catalogue.ts";
import apis from "./apis.tsv" with { type: "text" };
import { AwsGroup } from "./group.ts";
import operations from "./operations.tsv" with { type: "text" };

/** IAM's access level; "-" where none is published. */
export type AccessLevel = "list" | "read" | "write" | "tagging" | "permissions" | "-";

/** One operation of one API. */
export interface AwsOperation {
  readonly api: AwsApi;
  /** As the API model spells it, `TerminateInstances`. */
  readonly name: string;
  /** The IAM action that governs it; mostly its own name. */
  readonly action: string;
  readonly level: AccessLevel;
  /** REST bindings, `DELETE /functions/{}`, where `{}` is one segment and `{+}` the rest; empty for other protocols. */
  readonly bindings: readonly CatalogueRoute[];
}

/** One API; several can share a host, an IAM prefix or a signing name. */
export interface AwsApi {
  /** As the AWS CLI calls it, `ec2`, `s3api`. */
  readonly cli: string;
  /** The service prefix of its IAM actions. */
  readonly iam: string;
  /** Names in signatures' scopes. */
  readonly signing: readonly string[];
  /** The parts of its host names before the region. */
  readonly hosts: readonly string[];
  /** Prefixes of X-Amz-Target and service names of Smithy RPC paths. */
  readonly targets: readonly string[];
  readonly hasQuery: boolean;
  readonly hasJson: boolean;
  readonly hasRest: boolean;
  /** By name; decoded at the first call. */
  operations(): ReadonlyMap<string, AwsOperation>;
  /** The operation that the CLI calls so, however it puts the hyphens (it takes `otel` and `o-tel`); undefined for none. */
  operationByCliName(name: string): AwsOperation | undefined;
}

/** Every API, found by each of its names. */
export interface AwsCatalogue {
  readonly byHost: ReadonlyMap<string, AwsGroup>;
  readonly bySigning: ReadonlyMap<string, AwsGroup>;
  readonly byCli: ReadonlyMap<string, AwsApi>;
}

let read: AwsCatalogue | undefined;

/** Every operation with its tier, as the table has it. */
export const awsTable = new Catalogue(operations);

/** The catalogue; the first call costs a few milliseconds. */
export function awsCatalogue(): AwsCatalogue {
  read ??= readCatalogue();
  return read;
}

function readCatalogue(): AwsCatalogue {
  const byHost = new Map<string, AwsApi[]>();
  const bySigning = new Map<string, AwsApi[]>();
  const byCli = new Map<string, AwsApi>();
  for (const line of apis.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const api = new Api(line);
    byCli.set(api.cli, api);
    for (const host of api.hosts) add(byHost, host, api);
    for (const name of api.signing) add(bySigning, name, api);
  }
  return { byHost: grouped(byHost), bySigning: grouped(bySigning), byCli };
}

function grouped(index: ReadonlyMap<string, readonly AwsApi[]>): ReadonlyMap<string, AwsGroup> {
  const groups = new Map<string, AwsGroup>();
  for (const [key, apis] of index) groups.set(key, new AwsGroup(apis));
  return groups;
}

function add(index: Map<string, AwsApi[]>, key: string, api: AwsApi): void {
  const known = index.get(key);
  if (known === undefined) index.set(key, [api]);
  else known.push(api);
}

class Api implements AwsApi {
  readonly cli: string;
  readonly iam: string;
  readonly signing: readonly string[];
  readonly hosts: readonly string[];
  readonly targets: readonly string[];
  readonly hasQuery: boolean;
  readonly hasJson: boolean;
  readonly hasRest: boolean;
  #operations: ReadonlyMap<string, AwsOperation> | undefined;
  #byCliName: ReadonlyMap<string, AwsOperation> | undefined;

  constructor(line: string) {
    const [cli = "", iam = "", signing = "", hosts = "", targets = "", protocols = ""] = line.split("\t");
    this.cli = cli;
    this.iam = iam;
    this.signing = signing.split(",");
    this.hosts = hosts.split(",");
    this.targets = targets.split(",");
    this.hasQuery = protocols.includes("query");
    this.hasJson = protocols.includes("json");
    this.hasRest = protocols.includes("rest");
  }

  operations(): ReadonlyMap<string, AwsOperation> {
    this.#operations ??= this.#read();
    return this.#operations;
  }

  operationByCliName(name: string): AwsOperation | undefined {
    this.#byCliName ??= new Map([...this.operations().values()].map((one) => [one.name.toLowerCase(), one]));
    return this.#byCliName.get(name.replaceAll("-", ""));
  }

  #read(): ReadonlyMap<string, AwsOperation> {
    const found = new Map<string, AwsOperation>();
    for (const { operation: name, routes, more } of awsTable.rowsOf(this.cli)) {
      const [level = "-", action = ""] = more;
      found.set(name, {
        api: this,
        name,
        action: action === "" ? name : action,
        level: level as AccessLevel,
        bindings: routes,
      });
    }
    return found;
  }
}

/** Words whose inner capitals botocore does not take for the beginning of a word. */
const UNDIVIDED = /WhatsApp|PartiQL|OTel|HITs|iSCSI/g;

/** `CreateDBCluster` → `create-db-cluster`, the AWS CLI's spelling (botocore's `xform_name`). */
export function cliOperationName(name: string): string {
  return (
    name
      .replace(UNDIVIDED, (word) => `${word[0]?.toUpperCase()}${word.slice(1).toLowerCase()}`)
      // A plural of capitals at the end is one word: ListWebACLs, DescribeVPCs.
      .replace(/[A-Z]{2,}s$/, (plural) => `-${plural.toLowerCase()}`)
      .replace(/(.)([A-Z][a-z]+)/g, "$1-$2")
      .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
      .toLowerCase()
  );
}
