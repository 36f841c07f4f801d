// Reads AWS's own API models out of npm packages into one merged catalogue for packaging/generate/aws.ts.
// Sources: @distilled.cloud/aws, generated from AWS's current Smithy models, an earlier release of it, and aws-sdk 2,
// both for the APIs and paths that clients still use though they were retired. Runs at generation time only; nothing
// here is part of the program.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One operation: its Smithy name and, for REST protocols, method and URI template. */
export interface SourceOperation {
  readonly name: string;
  readonly method: string | undefined;
  readonly uri: string | undefined;
}

/** One API as its models describe it. Sets, because sources disagree in spelling and all of it is on the wire. */
export interface SourceApi {
  readonly sdkId: string;
  readonly signing: Set<string>;
  readonly endpoints: Set<string>;
  readonly targets: Set<string>;
  readonly protocols: Set<"query" | "json" | "rest">;
  readonly operations: Map<string, SourceOperation[]>;
  readonly sources: Set<string>;
}

/** The merged catalogue, keyed by normalised SDK id, and the versions of what was read. */
export interface Catalogue {
  readonly apis: Map<string, SourceApi>;
  readonly versions: string[];
}

const PROTOCOL_KINDS: Readonly<Record<string, "query" | "json" | "rest">> = {
  ec2: "query",
  ec2query: "query",
  awsquery: "query",
  query: "query",
  json: "json",
  awsjson1_0: "json",
  awsjson1_1: "json",
  "rest-json": "rest",
  "rest-xml": "rest",
  restjson1: "rest",
  restxml: "rest",
};

/** "Elastic Load Balancing v2" and "ElasticLoadBalancingv2" are one API. */
export function normaliseSdkId(id: string): string {
  return id.toLowerCase().replace(/[^a-z0-9]/g, "");
}

function apiOf(catalogue: Catalogue, sdkId: string): SourceApi {
  const key = normaliseSdkId(sdkId);
  let api = catalogue.apis.get(key);
  if (api === undefined) {
    api = {
      sdkId,
      signing: new Set(),
      endpoints: new Set(),
      targets: new Set(),
      protocols: new Set(),
      operations: new Map(),
      sources: new Set(),
    };
    catalogue.apis.set(key, api);
  }
  return api;
}

function addOperation(api: SourceApi, operation: SourceOperation): void {
  const known = api.operations.get(operation.name);
  if (known === undefined) {
    api.operations.set(operation.name, [operation]);
    return;
  }
  // A later source may still know an older path of the same operation: both are served.
  if (operation.uri !== undefined && !known.some((o) => o.uri === operation.uri && o.method === operation.method))
    known.push(operation);
}

/** Reads every source below `root` (a directory with node_modules). */
export function readCatalogue(root: string): Catalogue {
  const modules = join(root, "node_modules");
  const catalogue: Catalogue = { apis: new Map(), versions: [] };
  readModels(catalogue, join(modules, "@distilled.cloud", "aws"));
  readModels(catalogue, join(modules, "aws-models-previous"));
  readSdk2(catalogue, modules);
  return catalogue;
}

// The package is generated code of one shape, so it is read as text: importing it would need its run-time.
function readModels(catalogue: Catalogue, home: string): void {
  const directory = join(home, "lib", "services");
  for (const file of readdirSync(directory).sort()) {
    if (!file.endsWith(".js")) continue;
    const text = readFileSync(join(directory, file), "utf8");
    const sdkId = /sdkId: "([^"]+)"/.exec(text)?.[1];
    if (sdkId === undefined) continue;
    const api = apiOf(catalogue, sdkId);
    api.sources.add("models");
    const target = /serviceShapeName: "([^"]+)"/.exec(text)?.[1];
    if (target !== undefined) api.targets.add(target);
    const signing = /AwsAuthSigv4\(\{ name: "([^"]+)" \}\)/.exec(text)?.[1];
    if (signing !== undefined) api.signing.add(signing);
    for (const match of text.matchAll(/T\.AwsProtocols(\w+)\(/g)) {
      const kind = PROTOCOL_KINDS[(match[1] ?? "").toLowerCase()];
      if (kind !== undefined) api.protocols.add(kind);
    }
    if (/AwsQueryCompatible/.test(text)) api.protocols.add("query");
    const prefixes = new Set<string>();
    const inputs = readInputs(text);
    for (const match of text.matchAll(/^export const \w+ = [^;]*?API\.make\w*\(\(\) => \(\{([\s\S]*?)\n\}\)\);/gm)) {
      const block = match[1] ?? "";
      const name = /operationName: "(\w+)"/.exec(block)?.[1];
      if (name === undefined) continue;
      const http = inputs.get(/input: (\w+)/.exec(block)?.[1] ?? "");
      // An earlier release of the package gave "/" to inputs without members.
      const isRoot = http?.[1] === "/" && api.operations.has(name);
      addOperation(api, { name, method: isRoot ? undefined : http?.[0], uri: isRoot ? undefined : http?.[1] });
      const prefix = /endpointHostPrefix: "([^"]+)"/.exec(block)?.[1]?.replace(/\{[^}]+\}\.?/g, "");
      if (prefix !== undefined && prefix !== "") prefixes.add(prefix);
    }
    const rules = /T\.EndpointResolver\(([\s\S]*?)\n\}\);/.exec(text)?.[1] ?? "";
    for (const match of rules.matchAll(/https:\/\/((?:\$\{[^}]*\}|[^"`/])+)/g)) {
      const key = hostKey(match[1] ?? "");
      if (key === undefined) continue;
      api.endpoints.add(key);
      for (const prefix of prefixes) api.endpoints.add(prefix + key);
    }
  }
  catalogue.versions.push(`@distilled.cloud/aws ${versionOf(home)}`);
}

// HTTP bindings hang on the input shapes: `export const XRequest = … T.Http({ method: "GET", uri: "/x" })`.
function readInputs(text: string): Map<string, [string, string]> {
  const inputs = new Map<string, [string, string]>();
  for (const chunk of text.split(/^export (?=const |class )/m)) {
    const name = /^(?:const|class) (\w+)/.exec(chunk)?.[1];
    const http = /T\.Http\(\{\s*method: "(\w+)",\s*uri: "([^"]+)"/.exec(chunk);
    if (name !== undefined && http !== null) inputs.set(name, [http[1] ?? "", http[2] ?? ""]);
  }
  return inputs;
}

/** First labels of the domains of AWS's partitions. */
const SUFFIX = /^(amazonaws(-\w+)*|api|aws|vpce|on|s?c2s(home)?|csp(home)?|cloud)$/;
const REGION = /^(us|eu|ap|ca|sa|me|af|il|mx|cn|eusc)(-[a-z]+)+-\d+$/;

/** `iam-fips.${Region}.amazonaws.com` → `iam`; undefined when nothing constant is left. */
export function hostKey(template: string): string | undefined {
  const labels: string[] = [];
  for (const label of template.replace(/\$\{[^}]*\}/g, "{}").split(".")) {
    if (SUFFIX.test(label) && labels.length > 0) break;
    if (label.includes("{") || REGION.test(label) || /^(fips|dualstack|global|us-gov|docs)$/.test(label)) continue;
    labels.push(label.replace(/-fips$/, "").replace(/^fips-/, ""));
  }
  const key = labels.join(".");
  return key === "" ? undefined : key;
}

interface Sdk2Model {
  readonly metadata: Readonly<Record<string, string>>;
  readonly operations: Readonly<Record<string, { http?: { method?: string; requestUri: string }; endpoint?: { hostPrefix: string } }>>;
}

function readSdk2(catalogue: Catalogue, modules: string): void {
  const home = join(modules, "aws-sdk");
  for (const name of readdirSync(join(home, "apis")).sort()) {
    if (!name.endsWith(".min.json")) continue;
    const model: Sdk2Model = JSON.parse(readFileSync(join(home, "apis", name), "utf8"));
    const { metadata } = model;
    const sdkId = metadata["serviceId"] ?? metadata["serviceAbbreviation"] ?? metadata["serviceFullName"];
    if (sdkId === undefined) continue;
    const api = apiOf(catalogue, sdkId);
    api.sources.add("2");
    const protocol = PROTOCOL_KINDS[metadata["protocol"] ?? ""];
    if (protocol !== undefined) api.protocols.add(protocol);
    if (metadata["awsQueryCompatible"] !== undefined) api.protocols.add("query");
    const endpoint = metadata["endpointPrefix"];
    const signing = metadata["signingName"] ?? endpoint;
    if (signing !== undefined) api.signing.add(signing);
    if (endpoint !== undefined) api.endpoints.add(endpoint);
    if (metadata["targetPrefix"] !== undefined) api.targets.add(metadata["targetPrefix"]);
    for (const [operation, { http, endpoint: host }] of Object.entries(model.operations)) {
      addOperation(api, {
        name: operation,
        method: protocol === "rest" ? (http?.method ?? "POST") : undefined,
        uri: protocol === "rest" ? http?.requestUri : undefined,
      });
      const prefix = host?.hostPrefix.replace(/\{[^}]+\}\.?/g, "");
      if (prefix !== undefined && prefix !== "" && endpoint !== undefined) api.endpoints.add(prefix + endpoint);
    }
  }
  catalogue.versions.push(`aws-sdk ${versionOf(home)}`);
}

/** The version in a package's manifest. */
export function versionOf(home: string): string {
  return JSON.parse(readFileSync(join(home, "package.json"), "utf8")).version;
}
