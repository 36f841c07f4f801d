// The classifier for AWS's APIs, HTTP side: host to API, request to operation, operation to tier. Each step is a
// file of its own (aws-endpoint, aws-operation, aws-s3, aws-tier); command lines are aws-argv's. What cannot be told
// is unknown, also where only an override header or a WebSocket makes it so.

import type { Classification } from "../model/classification.ts";
import { type HttpRequest, headerValue, type RequestHead } from "../model/request.ts";
import type { TierOrUnknown } from "../model/tier.ts";
import { parseQuery, splitTarget } from "../wire/path.ts";
import { classifyApplication } from "./aws-application.ts";
import { classifyAwsArgv } from "./aws-argv.ts";
import { type AwsApi, awsCatalogue } from "./aws-catalogue.ts";
import { accountOfKey, readScope } from "./aws-credential.ts";
import { describeOperations } from "./aws-description.ts";
import { type AwsEndpoint, readAwsHost } from "./aws-endpoint.ts";
import { operationNeedsBody, readOperation, templatesOf } from "./aws-operation.ts";
import { opensAccess, readS3Path, selectS3, unknownSubresource } from "./aws-s3.ts";
import type { Classifier } from "./classifier.ts";
import { effectiveMethods } from "./method-override.ts";
import { strictestOf } from "./strictest.ts";
import { unknownClassification } from "./unknown.ts";
import { asksForUpgrade } from "./upgrade.ts";

/** Classifies requests to AWS and command lines of its CLI. */
export const awsClassifier: Classifier = {
  protocol: "aws",
  scopes: [
    { keyword: "accounts", label: "account" },
    { keyword: "regions", label: "region" },
    { keyword: "services", label: "service" },
    { keyword: "buckets", label: "bucket" },
  ],
  programs: ["aws"],
  needsBody,
  classify,
  classifyArgv: classifyAwsArgv,
};

function needsBody(head: RequestHead): boolean {
  if (head.method !== "POST") return false;
  const place = placeOf(head);
  if (place.endpoint.kind !== "api") return false;
  return operationNeedsBody(
    { ...splitTarget(head.target), method: head.method, headers: head.headers },
    place.endpoint.apis,
  );
}

/** The endpoint of a request, and the labels that do not depend on the operation. */
interface Place {
  readonly endpoint: AwsEndpoint;
  readonly labels: Readonly<Record<string, string>>;
}

function placeOf(head: RequestHead): Place {
  const scope = readScope(head);
  let endpoint = readAwsHost(head.host);
  if (endpoint.kind === "other" && scope?.service !== undefined)
    endpoint = endpointSigned(scope.service, endpoint);
  const labels: Record<string, string> = {};
  const account =
    ("account" in endpoint ? endpoint.account : undefined) ??
    accountField(head) ??
    (scope === undefined ? undefined : accountOfKey(scope.accessKey));
  if (account !== undefined) labels.account = account;
  const region = endpoint.region ?? scope?.region;
  if (region !== undefined) labels.region = region;
  return { endpoint, labels };
}

/** A host that we do not know, or one of the user's own: what the request was signed for is what it is meant for. */
function endpointSigned(service: string, unknown: AwsEndpoint): AwsEndpoint {
  if (service === "s3") return { kind: "s3", region: unknown.region, account: undefined, bucket: undefined };
  const apis = awsCatalogue().bySigning.get(service);
  return apis === undefined ? unknown : { kind: "api", apis, region: unknown.region, account: undefined };
}

function accountField(head: RequestHead): string | undefined {
  const value = headerValue(head.headers, "x-amz-account-id");
  return value !== undefined && /^\d{12}$/.test(value) ? value : undefined;
}

function classify(request: HttpRequest): Classification {
  const place = placeOf(request);
  const { endpoint, labels } = place;
  if (endpoint.kind === "session")
    return {
      protocol: "aws",
      tier: "break-glass",
      command: "ssm start-session",
      aliases: ["ssm:StartSession", "ssmmessages:OpenDataChannel"],
      labels: { ...labels, service: "ssmmessages" },
      reason: "the data channel of a shell session on a host",
    };
  if (asksForUpgrade(request))
    return unknownClassification("aws", "a connection upgrade at an AWS API", { labels });
  if (endpoint.kind === "other")
    return unknownClassification(
      "aws",
      endpoint.isAws ? "no AWS API is known by this host" : "not a host of AWS",
      { labels },
    );
  if (endpoint.kind === "application") return classifyApplication(request, endpoint.what, labels);
  const [first, ...others] = effectiveMethods(request).map((method) => classifyAs(method, request, place));
  return strictestOf(first as Classification, ...others);
}

function classifyAs(method: string, request: HttpRequest, { endpoint, labels }: Place): Classification {
  const { path, query } = splitTarget(request.target);
  switch (endpoint.kind) {
    case "api":
      return classifyApi({ ...request, method }, endpoint.apis, labels);
    case "s3":
      return classifyS3(method, request, path, query, endpoint.bucket, labels);
    default:
      return unknownClassification("aws", "no AWS API is known by this host", { labels });
  }
}

function classifyApi(
  request: HttpRequest,
  apis: readonly AwsApi[],
  labels: Readonly<Record<string, string>>,
): Classification {
  const { path, query } = splitTarget(request.target);
  const { method, headers, body } = request;
  const reading = readOperation({ method, path, query, headers, body }, apis);
  if (reading.kind === "unknown") {
    const service = serviceOf(apis);
    return unknownClassification("aws", reading.reason, {
      labels: service === undefined ? labels : { ...labels, service },
    });
  }
  return classification(describeOperations(reading.operations), labels);
}

/** The one IAM prefix of the APIs at a host; undefined when they have several. */
function serviceOf(apis: readonly AwsApi[]): string | undefined {
  const first = apis[0]?.iam;
  return apis.every((api) => api.iam === first) ? first : undefined;
}

function classification(
  described: ReturnType<typeof describeOperations>,
  labels: Readonly<Record<string, string>>,
  override?: { readonly tier: TierOrUnknown; readonly reason: string },
): Classification {
  return {
    protocol: "aws",
    tier: override?.tier ?? described.tier,
    command: described.command,
    aliases: described.aliases,
    labels: { ...labels, service: described.service },
    reason: override?.reason ?? described.reason,
  };
}

function classifyS3(
  method: string,
  request: HttpRequest,
  path: string,
  rawQuery: string | undefined,
  hostBucket: string | undefined,
  placeLabels: Readonly<Record<string, string>>,
): Classification {
  let labels: Readonly<Record<string, string>> = { ...placeLabels, service: "s3" };
  const target = readS3Path(path, hostBucket);
  if (target.kind === "ambiguous") return unknownClassification("aws", target.reason, { labels });
  if (target.bucket !== undefined) labels = { ...labels, bucket: target.bucket };
  const query = parseQuery(rawQuery);
  if (query === undefined) return unknownClassification("aws", "the query cannot be read", { labels });
  if (method === "OPTIONS")
    return { protocol: "aws", tier: "observe", command: "", aliases: [], labels, reason: "a CORS preflight" };
  const api = awsCatalogue().byCli.get("s3api");
  const match =
    api === undefined
      ? { kind: "none" as const }
      : templatesOf([api]).match(method, target.segments, () => query);
  if (match.kind === "none")
    return unknownClassification("aws", "no operation has this method and path", { labels });
  if (match.kind === "ambiguous")
    return unknownClassification("aws", "the query selects more than one operation", { labels });
  const operations = selectS3(match.operations, request.headers, query);
  const described = describeOperations(operations);
  const strange = operations[0] === undefined ? undefined : unknownSubresource(query, operations[0]);
  if (strange !== undefined && described.tier !== "observe")
    return unknownClassification("aws", "the query has a subresource that is not known", { labels });
  if (described.tier === "modify" && opensAccess(request.headers))
    return classification(described, labels, {
      tier: "break-glass",
      reason: `${described.reason}; sets an access list`,
    });
  return classification(described, labels);
}
