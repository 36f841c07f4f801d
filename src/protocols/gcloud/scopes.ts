// Which projects, organisations, regions and zones a Google request acts in without naming them: a
// bucket's project, a project given by number, `locations/-`, lists over all zones. A project is
// not counted as part of an organisation: which one it is in no request says, and a list of
// organisations is about requests to them. Knows no tiers but one.

import type { TierOrUnknown } from "../../model/tier.ts";

/** A request whose labels are known. */
export interface PlacedRequest {
  readonly api: string;
  /** The method id. */
  readonly command: string;
  readonly tier: TierOrUnknown;
  readonly segments: readonly string[];
  readonly isWord: readonly boolean[];
  readonly labels: Readonly<Record<string, string>>;
  /** Whether things of this service are in projects at all. */
  readonly hasProjects: boolean;
}

/** Of a call whose message is not read. */
export const EVERY_PLACE: readonly string[] = ["project", "organization", "region", "zone"];

/** SQL may name tables of any project. */
const ACROSS_PROJECTS: ReadonlySet<string> = new Set(["bigquery.jobs.insert", "bigquery.jobs.query"]);

const ABOVE_PROJECTS: ReadonlySet<string> = new Set(["organizations", "folders", "billingAccounts"]);

/** Services whose things are in a region, and with `true` in a zone, that their paths do not name. */
const PLACED: ReadonlyMap<string, boolean> = new Map([
  ["sql", true],
  ["sqladmin", true],
  ["bigtableadmin", true],
  ["bigtable", true],
  ["dataflow", true],
  ["spanner", false],
  ["bigquery", false],
  ["storage", false],
  ["appengine", false],
  ["firestore", false],
  ["datastore", false],
  ["ml", false],
  ["run", false],
]);

/** The labels of scopes that a request acts in and does not name: every scope of a kind, or some. */
export interface UnnamedPlaces {
  readonly spanned: readonly string[];
  readonly unnamed: readonly string[];
}

/** The places that a request acts in and does not name. */
export function unnamedPlaces(request: PlacedRequest): UnnamedPlaces {
  const { segments, isWord, labels } = request;
  const words = segments.filter((_, index) => isWord[index] === true);
  const spanned = new Set<string>();
  const unnamed = new Set<string>();
  if (isProjectUnnamed(request, words)) unnamed.add("project");
  if (labels.organization === undefined && words.some((word) => ABOVE_PROJECTS.has(word)))
    unnamed.add("organization");
  if (words.includes("aggregated")) for (const label of WILDCARDS.zones) spanned.add(label);
  segments.forEach((name, index) => {
    const kind = name === "-" && isWord[index - 1] === true ? segments[index - 1] : undefined;
    if (!isWildcard(kind)) return;
    const found = isForAll(request, index) ? spanned : kind === "projects" ? undefined : unnamed;
    for (const label of WILDCARDS[kind]) found?.add(label);
  });
  for (const label of unnamedArea(request, words)) unnamed.add(label);
  return { spanned: [...spanned], unnamed: [...unnamed].filter((label) => !spanned.has(label)) };
}

/** Labels of which a `-` in place of a name may stand for all. */
const WILDCARDS = {
  projects: ["project"],
  locations: ["region", "zone"],
  zones: ["region", "zone"],
  regions: ["region"],
} as const;

function isWildcard(word: string | undefined): word is keyof typeof WILDCARDS {
  return word !== undefined && Object.hasOwn(WILDCARDS, word);
}

/** Whether a `-` is for all there are: before the name of one thing it is for the place where that is. */
function isForAll({ segments, isWord }: PlacedRequest, at: number): boolean {
  return segments.every((name, index) => index <= at || name === "-" || isWord[index] === true);
}

function isProjectUnnamed(
  { command, tier, segments, isWord, labels, hasProjects }: PlacedRequest,
  words: readonly string[],
): boolean {
  const { project } = labels;
  // Ids begin with a letter: digits are the project's number, which no list of ids can match.
  if (project !== undefined)
    return (
      /^\d+$/.test(project) ||
      ACROSS_PROJECTS.has(command) ||
      segments.some(
        (name, index) =>
          isWord[index] === true && name === "projects" && isOther(segments[index + 1], project),
      )
    );
  const isAbove = ABOVE_PROJECTS.has(words.at(-1) ?? "");
  return hasProjects && !(isAbove && tier === "observe");
}

function isOther(name: string | undefined, project: string): boolean {
  return name !== undefined && name !== "-" && name !== project;
}

function unnamedArea({ api, tier, labels }: PlacedRequest, words: readonly string[]): readonly string[] {
  const { region, zone, location } = labels;
  if (region !== undefined || zone !== undefined) return [];
  // A multi-region (`eu`, `nam5`) is several.
  if (location !== undefined) return location === "global" ? [] : ["region"];
  if (api === "compute") return tier === "observe" || words.includes("global") ? [] : ["region", "zone"];
  const isZonal = PLACED.get(api);
  if (isZonal === undefined) return [];
  return isZonal ? ["region", "zone"] : ["region"];
}
