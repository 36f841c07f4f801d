// Which app and organization a root field of Fly's GraphQL acts in, and whether it says so. Apps
// are named by their name wherever an `appId` is asked for; organizations by a slug, or by an
// opaque id. Knows no tiers.

import type { GraphqlField, GraphqlOperation } from "../graphql/document.ts";

/** Labels of a root field, and the labels of scopes that it acts in without naming them. */
export interface FlyScopes {
  readonly labels: Readonly<Record<string, string>>;
  readonly unnamed: readonly string[];
}

/** Root fields about Fly itself and the caller's account. */
const NOWHERE: ReadonlySet<string> = new Set([
  ...["__schema", "__type", "__typename", "platform", "regions", "viewer", "currentUser", "products"],
  ...[
    "organizations",
    "personalOrganization",
    "latestImageTag",
    "latestImageDetails",
    "errors",
    "nearestRegion",
    "validateWireGuardPeers",
  ],
]);

/** Fields of an app or organization that only say which one it is; they are read with everything. */
const IDENTITY: ReadonlySet<string> = new Set([
  ...["__typename", "id", "internalId", "internalNumericId", "name", "slug", "rawSlug", "type", "paidPlan"],
]);

/** Whether an operation leads on into apps or organizations, below the root fields that name them. */
export interface Leads {
  readonly apps: boolean;
  readonly orgs: boolean;
}

/** Fields between a list and the things in it. */
const LIST: ReadonlySet<string> = new Set(["nodes", "edges", "node", "pageInfo", "totalCount"]);

/** The scopes of a root field of an operation that leads so far. */
export function scopesOfField(field: GraphqlField, leads: Leads): FlyScopes {
  const labels = labelsOf(field);
  const isNowhere = NOWHERE.has(field.name);
  const isOrg = field.name === "organization" && labels.org !== undefined;
  const unnamed: string[] = [];
  // An id beside the app's name may be of something in another app.
  const isApp = labels.app !== undefined && !hasOtherIds(field);
  if (leads.apps || !(isApp || isOrg || isNowhere)) unnamed.push("app");
  if (leads.orgs || !(isNowhere || labels.org !== undefined)) unnamed.push("org");
  return { labels, unnamed };
}

/** Where an operation goes on into apps and organizations, reading more of them than which ones they are. */
export function leadsOf(operation: GraphqlOperation): Leads {
  if (operation.kind === "mutation") return { apps: false, orgs: false };
  return { apps: goesInto(operation, APPS), orgs: goesInto(operation, ORGANIZATIONS) };
}

const APPS: ReadonlySet<string> = new Set(["app", "apps", "addOns"]);
const ORGANIZATIONS: ReadonlySet<string> = new Set(["organization", "organizations", "personalOrganization"]);

/** Root fields that name their subject. */
const NAMED: ReadonlySet<string> = new Set(["app", "organization"]);

function goesInto(operation: GraphqlOperation, names: ReadonlySet<string>): boolean {
  if (names.isDisjointFrom(operation.reached)) return false;
  const found = operation.below((name, isRoot) => names.has(name) && !(isRoot && NAMED.has(name)));
  if (found.isDisjointFrom(LIST)) return !found.isSubsetOf(IDENTITY);
  const inLists = operation.below((name, isRoot) => !isRoot && LIST.has(name));
  return !found.union(inLists).difference(LIST).isSubsetOf(IDENTITY);
}

function labelsOf({ name, arguments: given }: GraphqlField): Readonly<Record<string, string>> {
  const input = given.get("input");
  const texts = (...names: readonly string[]): readonly string[] =>
    names.flatMap((one) => [given.get(one), memberOf(input, one)]).filter(isText);
  const apps =
    name === "app"
      ? texts("name", "id", "internalId")
      : texts("appId", "appName", ...(name === "createApp" ? ["name"] : []));
  const orgs =
    name === "organization" ? texts("slug") : texts("orgSlug", "organizationSlug", "organization_slug");
  const labels: Record<string, string> = {};
  const [app] = apps;
  const [org] = orgs;
  // Two names for one thing would let the label be chosen.
  if (app !== undefined && apps.every((one) => one === app)) labels.app = app;
  if (org !== undefined && orgs.every((one) => one === org)) labels.org = org;
  return labels;
}

const NAMING: ReadonlySet<string> = new Set(["appId", "organizationId", "clientMutationId"]);

function hasOtherIds({ name, arguments: given }: GraphqlField): boolean {
  const input = given.get("input");
  const members = typeof input === "object" && input !== null ? Object.keys(input) : [];
  const isOther = (one: string): boolean => /(?:^i|I)ds?$/.test(one) && !NAMING.has(one);
  return [...given.keys(), ...members].some((one) => isOther(one) && !(name === "app" && one === "id"));
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
