// The published facts about AWS's APIs, decoded from data/aws-apis.txt: names, hosts, operations, REST bindings,
// IAM access levels. Knows no request and no tier. Nothing is decoded at import, and the operations of an API not
// before somebody asks for that API: the start of the CLI must not pay for data that it does not use.

import text from "./data/apis.txt" with { type: "text" };
import { AwsGroup } from "./group.ts";

/** IAM's access level: List, Read, Write, Tagging, Permissions management; "-" where none is published. */
export type AccessLevel = "l" | "r" | "w" | "t" | "p" | "-";

/** One operation of one API. */
export interface AwsOperation {
  readonly api: AwsApi;
  /** As the API model spells it, `TerminateInstances`. */
  readonly name: string;
  /** The IAM action that governs it; mostly its own name. */
  readonly action: string;
  readonly level: AccessLevel;
  /** REST bindings, a method letter and a URI template each: `D/functions/{}`; empty for other protocols. */
  readonly bindings: readonly string[];
}

/** One API; several can share a host, an IAM prefix or a signing name. */
export interface AwsApi {
  /** As the AWS CLI calls it, `ec2`, `s3api`. */
  readonly cli: string;
  /** The service prefix of its IAM actions. */
  readonly iam: string;
  /** Names in signatures' scopes. */
  readonly signing: readonly string[];
  /** What stands before the region in its host names. */
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

let decoded: AwsCatalogue | undefined;

/** The catalogue; the first call costs a few milliseconds. */
export function awsCatalogue(): AwsCatalogue {
  decoded ??= decodeCatalogue(text);
  return decoded;
}

/** Fixed by packaging/generate/aws-encode.ts: symbols of one character, and the codes' alphabet. */
const SINGLES = 46;
const FIRST = 33;
const WIDTH = 94;

function decodeCatalogue(data: string): AwsCatalogue {
  const lines = data.split("\n");
  while (lines.at(-1) === "") lines.pop();
  const start = lines.findIndex((line) => !line.startsWith("# "));
  const symbols = decodeSymbols(lines[start] ?? "", lines[start + 1] ?? "");
  const count = (lines.length - start - 2) / 2;
  const byHost = new Map<string, AwsApi[]>();
  const bySigning = new Map<string, AwsApi[]>();
  const byCli = new Map<string, AwsApi>();
  for (let i = 0; i < count; i++) {
    const api = new Api(lines[start + 2 + i] ?? "", lines[start + 2 + count + i] ?? "", symbols);
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

/** First line: code and character, repeated. Second: code and the two codes that it stands for. */
function decodeSymbols(characters: string, pairs: string): readonly string[] {
  const symbols: string[] = [];
  for (let at = 0; at < characters.length; ) {
    const code = codeAt(characters, at);
    at += code < SINGLES ? 1 : 2;
    symbols[code] = characters[at++] ?? "";
  }
  for (let at = 0; at < pairs.length; ) {
    const code = codeAt(pairs, at);
    at += code < SINGLES ? 1 : 2;
    const left = codeAt(pairs, at);
    at += left < SINGLES ? 1 : 2;
    const right = codeAt(pairs, at);
    at += right < SINGLES ? 1 : 2;
    symbols[code] = (symbols[left] ?? "") + (symbols[right] ?? "");
  }
  return symbols;
}

function codeAt(encoded: string, at: number): number {
  const first = encoded.charCodeAt(at) - FIRST;
  return first < SINGLES ? first : SINGLES + (first - SINGLES) * WIDTH + encoded.charCodeAt(at + 1) - FIRST;
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
  readonly #body: string;
  readonly #symbols: readonly string[];
  #operations: ReadonlyMap<string, AwsOperation> | undefined;
  #byCliName: ReadonlyMap<string, AwsOperation> | undefined;

  constructor(header: string, body: string, symbols: readonly string[]) {
    const [cli = "", iam = "", signing = "", hosts = "", targets = "", flags = ""] = header.split("|");
    this.cli = cli;
    this.iam = iam === "" ? cli : iam;
    this.signing = signing.split(",");
    this.hosts = hosts.split(",");
    this.targets = targets.split(",");
    this.hasQuery = flags.includes("q");
    this.hasJson = flags.includes("j");
    this.hasRest = flags.includes("r");
    this.#body = body;
    this.#symbols = symbols;
  }

  operations(): ReadonlyMap<string, AwsOperation> {
    this.#operations ??= this.#decode();
    return this.#operations;
  }

  operationByCliName(name: string): AwsOperation | undefined {
    this.#byCliName ??= new Map([...this.operations().values()].map((one) => [one.name.toLowerCase(), one]));
    return this.#byCliName.get(name.replaceAll("-", ""));
  }

  #decode(): ReadonlyMap<string, AwsOperation> {
    const parts: string[] = [];
    for (let at = 0; at < this.#body.length; ) {
      const code = codeAt(this.#body, at);
      at += code < SINGLES ? 1 : 2;
      parts.push(this.#symbols[code] ?? "");
    }
    const operations = new Map<string, AwsOperation>();
    for (const line of parts.join("").split(";")) {
      const [head = "", ...bindings] = line.split(" ");
      const [name = "", action = name] = head.slice(1).split("=");
      operations.set(name, { api: this, name, action, level: head[0] as AccessLevel, bindings });
    }
    return operations;
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
