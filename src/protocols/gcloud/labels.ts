// Scope labels of a Google REST path: project, organization, region, zone, location.
// Owns which words of a path announce which label. Only what names the resource counts:
// X-Goog-User-Project names who pays, and a client may put anything there.

/** Which word announces which label. */
const LABEL_OF_WORD: Readonly<Record<string, string>> = {
  projects: "project",
  organizations: "organization",
  regions: "region",
  zones: "zone",
  locations: "location",
};

const ZONE = /^([a-z]+-[a-z]+\d+)-[a-z]$/;
const REGION = /^[a-z]+-[a-z]+\d+$/;

/** Labels by path; `isWord` says which segments are fixed words, the one after such a word is a name. */
export function pathLabels(
  service: string,
  segments: readonly string[],
  isWord: readonly boolean[],
): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [index, word] of segments.entries()) {
    const name = segments[index + 1];
    if (name === undefined || isWord[index] !== true || isWord[index + 1] === true) continue;
    const label = labelOf(service, word);
    if (label !== undefined && !(label in labels)) labels[label] = name;
  }
  if (labels.project === "-") labels.project = projectOfAccount(segments) ?? "-";
  return withPlaces(labels);
}

/** gcloud leaves the project out where a service account's address holds it. */
function projectOfAccount(segments: readonly string[]): string | undefined {
  const at = segments.indexOf("serviceAccounts");
  const address = at < 0 ? undefined : segments[at + 1];
  const match =
    /^[a-z0-9-]+@([a-z][a-z0-9-]*)(?:\.([a-z0-9.-]+))?\.iam\.gserviceaccount\.com$/.exec(address ?? "") ??
    /^([a-z][a-z0-9-]*)@appspot\.gserviceaccount\.com$/.exec(address ?? "");
  const [, project, domain] = match ?? [];
  return project === undefined || domain === undefined ? project : `${domain}:${project}`;
}

/** App Engine's applications and Knative's namespaces on Cloud Run carry the project's id. */
function labelOf(service: string, word: string): string | undefined {
  if (word === "apps" && service === "appengine") return "project";
  if (word === "namespaces" && service === "run") return "project";
  return Object.hasOwn(LABEL_OF_WORD, word) ? LABEL_OF_WORD[word] : undefined;
}

/** Adds the region of a zone, region or zone of a location, and takes out what names nothing (`projects/-`). */
export function withPlaces(labels: Record<string, string>): Record<string, string> {
  for (const label of ["project", "region", "zone"]) if (labels[label] === "-") delete labels[label];
  const place = labels.location;
  if (place !== undefined && ZONE.test(place)) labels.zone ??= place;
  if (place !== undefined && REGION.test(place)) labels.region ??= place;
  const zone = ZONE.exec(labels.zone ?? "");
  if (zone?.[1] !== undefined) labels.region ??= zone[1];
  return labels;
}

/**
 * Methods whose project stands in the query. No others: most services ignore or refuse such a parameter, and a
 * label that the sender may choose freely would choose the rule, too.
 */
const PROJECT_IN_QUERY: ReadonlyMap<string, string> = new Map([
  ["storage.buckets.insert", "project"],
  ["storage.buckets.list", "project"],
  ["storagetransfer.transferJobs.delete", "projectId"],
  ["storagetransfer.transferJobs.get", "projectId"],
  ["datacatalog.entries.lookup", "project"],
  ["firebaseappdistribution.apps.testers.getTesterUdids", "project"],
  ["oslogin.users.getLoginProfile", "projectId"],
  ["oslogin.users.importSshPublicKey", "projectId"],
  ["testing.testEnvironmentCatalog.get", "projectId"],
]);

/** The project that the query names, where the method takes one there and it is named once. */
export function projectInQuery(
  methodId: string,
  query: readonly (readonly [string, string])[],
): string | undefined {
  const parameter = PROJECT_IN_QUERY.get(methodId);
  if (parameter === undefined) return undefined;
  const named = query.filter(([name]) => name === parameter);
  return named.length === 1 && named[0]?.[1] !== "" ? named[0]?.[1] : undefined;
}

/** The flags of gcloud that give labels. */
export const PLACE_FLAGS: ReadonlyMap<string, string> = new Map([
  ["--project", "project"],
  ["--organization", "organization"],
  ["--region", "region"],
  ["--zone", "zone"],
  ["--location", "location"],
]);
