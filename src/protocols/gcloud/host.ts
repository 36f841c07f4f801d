// Which Google service a host speaks for: `us-central1-aiplatform.googleapis.com`,
// `compute.mtls.googleapis.com` and `bigquery.us-east4.rep.googleapis.com` are one name
// each. Knows host shapes only; paths are gcloud-target.ts.

/** A host taken apart. */
export interface GoogleHost {
  /** Service name, `compute`; `www` when the path names the service. */
  readonly service: string;
  /** Region or zone that the host name carries. */
  readonly location: string | undefined;
  /** Bucket of a virtual-hosted Cloud Storage request. */
  readonly bucket: string | undefined;
}

const SUFFIX = ".googleapis.com";
const PLACE = /^(?:[a-z]+-[a-z]+\d+(?:-[a-z])?|us|eu|asia|in|ca|global|northamerica|europe)$/;

/** Takes a host apart; undefined when it is not a Google API host. */
export function readGoogleHost(host: string): GoogleHost | undefined {
  if (!host.endsWith(SUFFIX)) return undefined;
  const name = host.slice(0, -SUFFIX.length);
  if (name.endsWith(".storage")) return storageHost(name.slice(0, -".storage".length));
  const labels = name.split(".");
  const first = labels[0] ?? "";
  let location: string | undefined;
  for (const label of labels.slice(1)) {
    if (PLACE.test(label)) location = label;
    // mtls: client certificates; rep, p: regional and private endpoints; sandbox: test instances.
    else if (label !== "mtls" && label !== "rep" && label !== "p" && label !== "sandbox") return undefined;
  }
  if (labels.includes("p")) return { service: first.split("-")[0] ?? "", location, bucket: undefined };
  const { place, service } = splitPlace(first);
  return { service: withoutStage(service), location: place ?? location, bucket: undefined };
}

function storageHost(bucket: string): GoogleHost {
  return { service: "storage", location: undefined, bucket };
}

/** `us-central1-run` is run in us-central1, `eu-dlp` dlp in the EU; `prod-tt-sasportal` is a service. */
function splitPlace(name: string): { readonly place: string | undefined; readonly service: string } {
  const match = /^([a-z]+-[a-z]+\d+(?:-[a-z])?|us|eu|asia|global)-(.+)$/.exec(name);
  return match === null ? { place: undefined, service: name } : { place: match[1], service: match[2] ?? "" };
}

/** Test environments and Google's browser clients use prefixed hosts of the same services. */
function withoutStage(service: string): string {
  return service.replace(/^(?:content|staging|autopush|preprod|test|dev|nightly)-(?=[a-z])/, "");
}
