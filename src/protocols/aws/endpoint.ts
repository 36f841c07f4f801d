// Which AWS API a host name belongs to, and the region, account and bucket that stand in it. Reads
// names only: no path, no signature. Hosts on AWS's domains that are no AWS API (customers' own
// applications, clusters, registries) are told apart, because only the method tells the effect of a
// request there.

import { awsCatalogue } from "./catalogue.ts";
import { AwsGroup } from "./group.ts";

/** Where a request goes. */
export type AwsEndpoint =
  /** An API, or several that share the host. */
  | {
      readonly kind: "api";
      readonly group: AwsGroup;
      readonly region: string | undefined;
      readonly account: string | undefined;
    }
  /** S3's data plane; without a bucket in the name the path begins with it. */
  | {
      readonly kind: "s3";
      readonly region: string | undefined;
      readonly account: string | undefined;
      readonly bucket: string | undefined;
    }
  /** Something that a customer runs or stores on AWS; `what` names it for people, `service` is IAM's prefix for it. */
  | {
      readonly kind: "application";
      readonly what: string;
      readonly service: string | undefined;
      readonly region: string | undefined;
      readonly account: string | undefined;
    }
  /** The data channel of a shell session. */
  | { readonly kind: "session"; readonly region: string | undefined }
  /** On AWS's domain, but nothing that we know; or not on AWS's domain at all. */
  | { readonly kind: "other"; readonly isAws: boolean; readonly region: string | undefined };

/** Domains of all partitions, longest first where one ends like another. */
const SUFFIXES: readonly string[] = [
  ".api.amazonwebservices.com.cn",
  ".api.amazonwebservices.eu",
  ".amazonaws.com.cn",
  ".amazonaws.com",
  ".amazonaws.eu",
  ".api.aws.ic.gov",
  ".api.aws.scloud",
  ".api.aws.hci.ic.gov",
  ".api.cloud-aws.adc-e.uk",
  ".cloud.adc-e.uk",
  ".csp.hci.ic.gov",
  ".sc2s.sgov.gov",
  ".c2s.ic.gov",
  ".api.aws",
  ".amazonaws-us-gov.com",
  ".amazonaws-eusc.eu",
  ".amazonaws.cn",
  ".aws.amazon.com",
  ".aws",
];

const REGION = /^(?:us|eu|ap|ca|sa|me|af|il|mx|cn|eusc)(?:-[a-z]+)+-\d+$/;
const ACCOUNT = /^\d{12}$/;

/** Hosts of customers' own things by their last label before region and domain: their kind, and IAM's prefix. */
const APPLICATIONS: ReadonlyMap<string, readonly [what: string, service?: string]> = new Map<
  string,
  readonly [what: string, service?: string]
>([
  ["execute-api", ["an API behind API Gateway", "execute-api"]],
  ["appsync-api", ["a GraphQL API behind AppSync", "appsync"]],
  ["appsync-realtime-api", ["a GraphQL API behind AppSync", "appsync"]],
  ["lambda-url", ["a Lambda function's own URL", "lambda"]],
  ["elb", ["an application behind a load balancer"]],
  ["compute", ["an application on an instance"]],
  ["compute-1", ["an application on an instance"]],
  ["es", ["a search domain", "es"]],
  ["aoss", ["a search collection", "aoss"]],
  ["dkr.ecr", ["a container registry", "ecr"]],
  ["dkr-ecr", ["a container registry", "ecr"]],
  ["d.codeartifact", ["a package repository", "codeartifact"]],
  ["git-codecommit", ["a git repository", "codecommit"]],
  ["s3-website", ["a web site on S3", "s3"]],
  ["public.ecr", ["a container registry", "ecr-public"]],
  ["notebook.sagemaker", ["a notebook", "sagemaker"]],
  ["studio.sagemaker", ["a notebook", "sagemaker"]],
]);

/** APIs with an account, a stream or a customer's endpoint before their name, by the name. */
const PREFIXED: ReadonlyMap<string, string> = new Map([
  ["ddb", "dynamodb"],
  ["endpoint.events", "events"],
  ["endpoints.email", "sesv2"],
  ["iot", "iot-data"],
  ["credentials.iot", ""],
  ["jobs.iot", "iot-jobs-data"],
  ["data.mediastore", "mediastore-data"],
  ["mediastore", "mediastore-data"],
  ["mediaconvert", "mediaconvert"],
  ["kinesisvideo", ""],
  ["neptune-graph", "neptune-graph"],
  ["control-kinesis", "kinesis"],
  ["data-kinesis", "kinesis"],
  ["cloudsearch", "cloudsearchdomain"],
  ["timestream", ""],
  ["neptune", "neptunedata"],
]);

const READ = new Map<string, AwsEndpoint>();
/** A client talks to a handful of hosts; anyone who makes up more only empties the memory. */
const MOST_READ = 2048;

/** Reads a host name, lower case and without port. */
export function readAwsHost(host: string): AwsEndpoint {
  const known = READ.get(host);
  if (known !== undefined) return known;
  if (READ.size >= MOST_READ) READ.clear();
  const endpoint = readHost(host);
  READ.set(host, endpoint);
  return endpoint;
}

function readHost(host: string): AwsEndpoint {
  const suffix = SUFFIXES.find((one) => host.endsWith(one));
  if (suffix === undefined) return OTHER_DOMAIN;
  const labels: string[] = [];
  let region: string | undefined;
  let isPrivate = false;
  for (const label of host.slice(0, -suffix.length).split(".")) {
    if (region === undefined && REGION.test(label)) region = label;
    else if (label === "vpce") isPrivate = true;
    else if (label !== "dualstack" && label !== "fips" && label !== "global" && label !== "us-gov")
      labels.push(label);
  }
  if (suffix === ".aws" && labels.at(-1) === "on") labels.pop();
  const last = labels.at(-1);
  if (last === undefined) return { kind: "other", isAws: true, region };
  // s3-us-west-2.amazonaws.com, the spelling of the first years.
  const dashed = /^(s3(?:-fips|-website)?)-([a-z-]+-\d+)$/.exec(last);
  if (dashed?.[1] !== undefined && dashed[2] !== undefined && REGION.test(dashed[2])) {
    labels[labels.length - 1] = dashed[1];
    region = dashed[2];
  }
  if (isPrivate) return readPrivate(labels, region);
  return readLabels(labels.map(withoutFips), region);
}

const OTHER_DOMAIN: AwsEndpoint = { kind: "other", isAws: false, region: undefined };

function withoutFips(label: string): string {
  if (label.endsWith("-fips")) return label.slice(0, -5);
  return label.startsWith("fips-") ? label.slice(5) : label.replace("-fips-", "-");
}

/** Interface endpoints: `[what.]vpce-<id>.<service>.<region>.vpce.amazonaws.com`. */
function readPrivate(labels: readonly string[], region: string | undefined): AwsEndpoint {
  const at = labels.findIndex((label) => label.startsWith("vpce-"));
  if (at < 0) return { kind: "other", isAws: true, region };
  const before = labels.slice(0, at);
  const after = labels.slice(at + 1).map(withoutFips);
  if (after.length !== 1 || after[0] !== "s3") return readLabels([...before, ...after], region);
  const marker = before.pop();
  if (marker === "control") return readLabels([...before, "s3-control"], region);
  if (marker === "accesspoint") return readLabels([...before, "s3-accesspoint"], region);
  if (marker !== undefined && marker !== "bucket") before.push(marker);
  return readLabels([...before, "s3"], region);
}

function readLabels(labels: readonly string[], region: string | undefined): AwsEndpoint {
  const { byHost, byCli, bySigning } = awsCatalogue();
  const last = labels.at(-1) ?? "";
  if (last.startsWith("s3")) {
    const endpoint = readS3(labels, last, region);
    if (endpoint !== undefined) return endpoint;
  }
  const exact = byHost.get(labels.join("."));
  if (exact !== undefined) return { kind: "api", group: exact, region, account: undefined };
  if (last === "queue") return apiNamed(["sqs"], region, undefined);
  if (last === "ssmmessages") return { kind: "session", region };
  const two = labels.slice(-2).join(".");
  const first = labels[0];
  const account = first !== undefined && ACCOUNT.test(first) ? first : undefined;
  const rest = account === undefined ? undefined : byHost.get(labels.slice(1).join("."));
  if (rest !== undefined) return { kind: "api", group: rest, region, account };
  if (labels.length > 1)
    for (const key of [two, last]) {
      const cli = PREFIXED.get(key);
      const isSuffix = key === last || labels.length > 2;
      if (cli !== undefined && isSuffix && byCli.has(cli)) return apiNamed([cli], region, account);
      if (cli === "" && isSuffix) {
        const signed = bySigning.get(last);
        if (signed !== undefined) return { kind: "api", group: signed, region, account };
      }
    }
  const found = APPLICATIONS.get(two) ?? APPLICATIONS.get(last);
  if (found !== undefined) {
    const [what, service] = found;
    // A registry's host begins with the account that owns it; elsewhere digits are the owner's choice.
    const owner = service === "ecr" ? account : service === "codeartifact" ? accountOf(first) : undefined;
    return { kind: "application", what, service, region, account: owner };
  }
  return { kind: "other", isAws: true, region };
}

const GROUPS = new Map<string, AwsGroup>();

/** A group has a tree of paths, so hosts made up by the thousand must not make a group each. */
function groupOf(names: readonly string[]): AwsGroup {
  const key = names.join();
  let group = GROUPS.get(key);
  if (group === undefined) {
    const { byCli } = awsCatalogue();
    group = new AwsGroup(names.flatMap((name) => byCli.get(name) ?? []));
    GROUPS.set(key, group);
  }
  return group;
}

function apiNamed(
  names: readonly string[],
  region: string | undefined,
  account: string | undefined,
): AwsEndpoint {
  return { kind: "api", group: groupOf(names), region, account };
}

/** S3 in all its names; undefined when the last label only begins like one of them (s3tables, s3vectors, s3files). */
function readS3(
  labels: readonly string[],
  last: string,
  region: string | undefined,
): AwsEndpoint | undefined {
  const before = labels.slice(0, -1);
  const bucket = before.length === 0 ? undefined : before.join(".");
  switch (last) {
    case "s3":
    case "s3-accelerate":
      // Digits at the end of a bucket's name are its owner's choice and say nothing of the account.
      return { kind: "s3", region, account: undefined, bucket };
    case "s3-object-lambda":
    case "s3-accesspoint":
      return { kind: "s3", region, account: accountOf(bucket), bucket };
    case "s3-global":
      return { kind: "s3", region, account: undefined, bucket: before.slice(0, -1).join(".") };
    case "s3-control":
      return apiNamed(["s3control"], region, accountOf(before[0]));
    case "s3express-control":
      if (bucket === undefined) return { kind: "s3", region, account: undefined, bucket };
      return apiNamed(["s3control"], region, accountOf(before[0]));
    case "s3-outposts":
      if (bucket === undefined) return apiNamed(["s3outposts", "s3control"], region, undefined);
      if (before.length === 1) return apiNamed(["s3control"], region, accountOf(before[0]));
      return { kind: "s3", region, account: accountOf(before[0]), bucket: before[0] };
    default:
      return last.startsWith("s3express-") ? { kind: "s3", region, account: undefined, bucket } : undefined;
  }
}

/** `111122223333` or `name-111122223333`. */
function accountOf(label: string | undefined): string | undefined {
  return label === undefined ? undefined : /(?:^|-)(\d{12})$/.exec(label)?.[1];
}
