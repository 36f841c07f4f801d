// The classifier for AWS's APIs, HTTP side: host to API, request to operation, operation to tier.
// Each step is a file of its own (aws-endpoint, aws-operation, aws-s3, aws-tier); command lines are
// aws-argv's. A request that cannot be understood is unknown, also where only an override header or
// a WebSocket makes it so.

import type { Classification } from "../../model/classification.ts";
import { type HttpRequest, headerValues, type RequestBody, type RequestHead } from "../../model/request.ts";
import { splitTarget } from "../../wire/path.ts";
import type { Classifier } from "../classifier.ts";
import { byMethodNeedsBody } from "../generic/classify.ts";
import { effectiveMethods } from "../method-override.ts";
import { strictestOf } from "../strictest.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { withUnnamed } from "../unnamed-scopes.ts";
import { asksForUpgrade } from "../upgrade.ts";
import { classifyApplication } from "./application.ts";
import { classifyAwsArgv } from "./argv.ts";
import { haveBodyRules, isAwsJudgedByBody, isCommandJudgedByBody, judgeAwsBody } from "./body.ts";
import { type AwsOperation, awsCatalogue } from "./catalogue.ts";
import { accountOfKey, readScope } from "./credential.ts";
import { describeOperations } from "./description.ts";
import { type AwsEndpoint, readAwsHost } from "./endpoint.ts";
import { awsOperations } from "./known-operations.ts";
import { awsLiveClient } from "./live-client.ts";
import { type OperationReading, operationNeedsBody, readOperation } from "./operation.ts";
import { renderAwsError } from "./refusal.ts";
import { copySource, isThroughAccessPoint } from "./s3/buckets.ts";
import { isFormUpload } from "./s3/form.ts";
import { readS3 } from "./s3/s3.ts";
import { awsVocabulary } from "./vocabulary.ts";

const HOSTS: readonly RegExp[] = [/(?:^|\.)amazonaws\.com(?:\.cn)?$/, /\.(?:api|on)\.aws$/];

/** Classifies requests to AWS and command lines of its CLI. */
export const awsClassifier: Classifier = {
  protocol: "aws",
  covers: "AWS API traffic (aws CLI, SDKs).",
  scopes: [
    {
      keyword: "accounts",
      label: "account",
      form: { pattern: /^\d{12}$/, what: "the twelve digits of an account" },
    },
    { keyword: "regions", label: "region" },
    { keyword: "services", label: "service" },
    { keyword: "buckets", label: "bucket" },
  ],
  programs: ["aws"],
  // Other partitions, the sign-in, the public registry.
  isOwnHost: (host) => HOSTS.some((pattern) => pattern.test(host)) || readAwsHost(host).kind !== "other",
  liveClients: [awsLiveClient],
  needsBody,
  isJudgedByBody: isCommandJudgedByBody,
  classify,
  operations: awsOperations,
  vocabulary: awsVocabulary,
  classifyArgv: classifyAwsArgv,
  refusal: renderAwsError,
};

function needsBody(head: RequestHead): boolean {
  const { endpoint } = placeOf(head);
  if (endpoint.kind === "application") return byMethodNeedsBody(head);
  const source = splitTarget(head.target);
  if (endpoint.kind === "s3")
    return effectiveMethods(head).some((method) =>
      isFormUpload({ ...source, method, headers: head.headers }),
    );
  if (endpoint.kind !== "api") return false;
  return effectiveMethods(head).some((method) => {
    const bodyless = { ...source, method, headers: head.headers };
    if (operationNeedsBody(bodyless, endpoint.group)) return true;
    if (!haveBodyRules(endpoint.group.apis)) return false;
    const reading = readOperation({ ...bodyless, body: { kind: "none" } }, endpoint.group);
    return isAwsJudgedByBody(reading.kind === "found" ? reading.operations : reading.possible);
  });
}

/** The endpoint of a request, and the labels that do not depend on the operation. */
interface Place {
  readonly endpoint: AwsEndpoint;
  readonly labels: Readonly<Record<string, string>>;
  /** Every request is in an account and a region; older keys do not spell the one, unsigned requests neither. */
  readonly unnamed: readonly string[];
}

function placeOf(head: RequestHead): Place {
  const scope = readScope(head);
  const endpoint = readAwsHost(head.host);
  const labels: Record<string, string> = {};
  const account =
    ("account" in endpoint ? endpoint.account : undefined) ??
    accountField(head, endpoint) ??
    (scope === undefined ? undefined : accountOfKey(scope.accessKey));
  if (account !== undefined) labels.account = account;
  const region = endpoint.region ?? scope?.region;
  if (region !== undefined) labels.region = region;
  // The signature's service is the client's claim: at an unknown host it gives the service, no operation.
  const claimed = endpoint.kind === "other" ? serviceSigned(scope?.service) : undefined;
  if (claimed !== undefined) labels.service = claimed;
  return { endpoint, labels, unnamed: PLACES.filter((label) => labels[label] === undefined) };
}

const PLACES: readonly string[] = ["account", "region"];

function serviceSigned(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  return name === "s3" ? name : awsCatalogue().bySigning.get(name)?.service;
}

/** S3 Control compares the field with the caller; elsewhere it means nothing, and a caller could write anything. */
function accountField(head: RequestHead, endpoint: AwsEndpoint): string | undefined {
  if (endpoint.kind !== "api" || !endpoint.group.apis.some((api) => api.cli === "s3control"))
    return undefined;
  const [value, second] = headerValues(head.headers, "x-amz-account-id");
  return second === undefined && value !== undefined && /^\d{12}$/.test(value) ? value : undefined;
}

function classify(request: HttpRequest): Classification {
  const place = placeOf(request);
  return withUnnamed(classifyAt(place, request), place.unnamed);
}

function classifyAt({ endpoint, labels }: Place, request: HttpRequest): Classification {
  if (endpoint.kind === "session")
    return {
      protocol: "aws",
      tier: "break-glass",
      command: "ssm start-session",
      aliases: ["ssm:StartSession", "ssmmessages:OpenDataChannel"],
      labels: { ...labels, service: "ssmmessages" },
      reason: "the data channel of a shell session on a host",
    };
  if (endpoint.kind === "application") return classifyApplication(request, endpoint, labels);
  if (endpoint.kind === "other")
    return unknownClassification(
      "aws",
      endpoint.isAws ? "no AWS API is known by this host" : "not a host of AWS",
      {
        labels,
      },
    );
  const [sent, ...overrides] = effectiveMethods(request);
  const plain = strictestOf(
    classifyAs(sent, request, endpoint, labels),
    ...overrides.map((method) => classifyAs(method, request, endpoint, labels)),
  );
  return asksForUpgrade(request) ? doubtful(plain, "a connection upgrade at an AWS API") : plain;
}

type Labels = Readonly<Record<string, string>>;

function classifyAs(
  method: string,
  request: HttpRequest,
  endpoint: Extract<AwsEndpoint, { kind: "api" | "s3" }>,
  labels: Labels,
): Classification {
  const source = { ...splitTarget(request.target), method, headers: request.headers, body: request.body };
  if (endpoint.kind === "s3") {
    const { reading, bucket, opensAccess } = readS3(source, endpoint.bucket);
    const known = { ...labels, service: "s3", ...(bucket === undefined ? {} : { bucket }) };
    const found = classificationOf(reading, known);
    const plain: Classification =
      opensAccess && found.tier === "modify"
        ? { ...found, tier: "break-glass", reason: `${found.reason}; sets an access list` }
        : found;
    const placed = isThroughAccessPoint(request.host, bucket) ? withUnnamed(plain, BUCKET) : plain;
    return withCopySource(placed, request, known);
  }
  const { service } = endpoint.group;
  const known = service === undefined ? labels : { ...labels, service };
  const reading = readOperation(source, endpoint.group);
  const plain = withBody(classificationOf(reading, known), reading, source);
  // Its jobs, access points and account-wide settings act on buckets that only their bodies name, or on all.
  return endpoint.group.apis.some((api) => api.cli === "s3control") ? withUnnamed(plain, BUCKET) : plain;
}

/** The tier that the body gives an operation that is certain. */
function withBody(
  plain: Classification,
  reading: OperationReading,
  { body, query }: { readonly body: RequestBody; readonly query: string | undefined },
): Classification {
  const [operation] = reading.kind === "found" ? reading.operations : [];
  const finding = operation === undefined ? undefined : judgeAwsBody(operation, body, query);
  if (finding === undefined) return plain;
  if ("doubt" in finding) return doubtful(plain, finding.doubt);
  return { ...plain, tier: finding.tier, reason: `${plain.reason}; ${finding.reason}` };
}

const BUCKET = ["bucket"];

/** A copy also reads: the bucket that it reads from is judged as if it were read by itself. */
function withCopySource(plain: Classification, head: RequestHead, labels: Labels): Classification {
  const source = copySource(head);
  if (source === undefined || source.bucket === labels.bucket) return plain;
  const read = awsCatalogue().byCli.get("s3api")?.operationByCliName("get-object");
  if (source.bucket === undefined || read === undefined) return withUnnamed(plain, BUCKET);
  return strictestOf(plain, described([read], { ...labels, bucket: source.bucket }));
}

/** A doubtful classification keeps the possible meanings as parts, so that it never turns a denial into a question. */
function classificationOf(reading: OperationReading, labels: Labels): Classification {
  if (reading.kind === "found") return described(reading.operations, labels);
  const unknown = unknownClassification("aws", reading.reason, { labels });
  const parts = [...new Set(reading.possible)]
    .map((operation) => described([operation], labels))
    .filter((part) => part.tier !== "observe");
  return parts.length === 0 ? unknown : { ...unknown, parts: [...parts, unknown] };
}

function described(operations: readonly AwsOperation[], labels: Labels): Classification {
  const { tier, command, aliases, service, reason } = describeOperations(operations);
  const plain = { protocol: "aws", tier, command, aliases, labels: { ...labels, service }, reason } as const;
  return operations.every(({ api }) => api.iam === service) ? plain : withUnnamed(plain, ["service"]);
}
