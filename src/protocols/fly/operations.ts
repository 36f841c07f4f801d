// The published operations of Fly's REST APIs: the Machines API (its OpenAPI description, below `/v1` at
// api.machines.dev) and the web API that flyctl uses beside it (below `/api/v1` at api.fly.io). Each line names a
// method, a path and, where the path and method do not say it, the tier with its reason. Knows no request.

import type { Tier } from "../../model/tier.ts";

/** A found operation. */
export interface FlyOperation {
  /** The path's words and a verb, `apps.machines.exec`. */
  readonly id: string;
  readonly tier: Tier;
  readonly reason: string;
  readonly app: string | undefined;
  readonly org: string | undefined;
}

/** `METHODS path [tier reason]`; "*" is one segment, of which those after `apps` and `orgs` become labels. */
const MACHINES = `
GET,POST apps
GET,DELETE apps/*
POST apps/*/deploy_token = break-glass issues a token
GET apps/*/certificates
POST apps/*/certificates/acme
POST apps/*/certificates/custom = sensitive stores a private key
GET,DELETE apps/*/certificates/*
DELETE apps/*/certificates/*/acme
DELETE apps/*/certificates/*/custom
POST apps/*/certificates/*/check
GET,POST apps/*/ip_assignments
DELETE apps/*/ip_assignments/*
GET,POST apps/*/machines
GET,POST,DELETE apps/*/machines/*
POST apps/*/machines/*/cordon
POST apps/*/machines/*/uncordon
GET apps/*/machines/*/events
POST apps/*/machines/*/exec = break-glass runs a command in a machine
GET,POST,DELETE apps/*/machines/*/lease
GET,PUT apps/*/machines/*/memory
POST apps/*/machines/*/memory/reclaim
GET,PUT,PATCH apps/*/machines/*/metadata
GET,POST,DELETE apps/*/machines/*/metadata/*
GET apps/*/machines/*/ps
POST apps/*/machines/*/restart
POST apps/*/machines/*/signal
POST apps/*/machines/*/start
POST apps/*/machines/*/stop
POST,PUT apps/*/machines/*/suspend
GET apps/*/machines/*/versions
GET apps/*/machines/*/wait
GET apps/*/secretkeys
GET,POST,DELETE apps/*/secretkeys/* = sensitive writes a key
POST apps/*/secretkeys/*/decrypt = sensitive uses a key
POST apps/*/secretkeys/*/encrypt = sensitive uses a key
POST apps/*/secretkeys/*/generate = sensitive generates a key
POST apps/*/secretkeys/*/sign = sensitive uses a key
POST apps/*/secretkeys/*/verify = sensitive uses a key
GET,POST apps/*/secrets = sensitive writes secrets
GET,POST,DELETE apps/*/secrets/* = sensitive writes a secret
GET,POST apps/*/volumes
GET,PUT,DELETE apps/*/volumes/*
PUT apps/*/volumes/*/extend
GET,POST apps/*/volumes/*/snapshots
GET orgs/*/machines
GET orgs/*/volumes
POST platform/placements = observe only simulates where machines would go
GET platform/regions
POST tokens/kms = break-glass issues a token
POST tokens/oidc = break-glass issues a token
GET tokens/current`;

const WEB = `
POST cli_sessions = observe begins flyctl's own login
GET cli_sessions/*
POST cli_sessions/*/redeem = observe ends flyctl's own login
GET apps/*/logs
GET apps/*/releases
POST apps/*/releases
GET apps/*/current_release
GET apps/*/releases/current
GET releases/all_current
POST releases
PATCH releases/*
POST builds
POST builds/finish
POST builds/depot_builder
POST apps/*/egress_ips/*/promote
GET organizations
GET organizations/*
POST organizations/*/builders
GET organizations/*/regions
GET,POST organizations/*/postgres
GET organizations/*/postgres/deleted
GET,DELETE organizations/*/postgres/* = sensitive returns the password
GET organizations/*/postgres/regions
GET,DELETE postgres/* = sensitive returns the password
GET,POST postgres/*/users = break-glass creates a login
PATCH,DELETE postgres/*/users/* = break-glass changes a login
GET postgres/*/users/*/credentials = sensitive returns the password
GET,POST postgres/*/databases
GET,POST postgres/*/backups
POST postgres/*/restore
GET,POST postgres/*/attachments
DELETE postgres/*/attachments/*
GET,POST postgres/*/databases/*/extensions
DELETE postgres/*/databases/*/extensions/*
GET,POST organizations/*/postgresv2
GET organizations/*/postgresv2/deleted
GET organizations/*/postgresv2/regions
GET,DELETE organizations/*/postgresv2/* = sensitive returns the password
GET,DELETE postgresv2/* = sensitive returns the password
GET,POST postgresv2/*/users = break-glass creates a login
PATCH,DELETE postgresv2/*/users/* = break-glass changes a login
GET postgresv2/*/users/*/credentials = sensitive returns the password
GET,POST postgresv2/*/databases
GET,POST postgresv2/*/databases/*/extensions
DELETE postgresv2/*/databases/*/extensions/*
GET,POST postgresv2/*/backups
POST postgresv2/*/restore
GET,POST postgresv2/*/attachments
DELETE postgresv2/*/attachments/*
GET regions`;

interface Route {
  readonly methods: readonly string[];
  readonly words: readonly string[];
  readonly rule: { readonly tier: Tier; readonly reason: string } | undefined;
}

type Api = "machines" | "web";

const TEXTS: Readonly<Record<Api, string>> = { machines: MACHINES, web: WEB };
const routes = new Map<Api, readonly Route[]>();

/** The operation of a method and of the segments below `/v1` or `/api/v1`; undefined for none that is known. */
export function findFlyOperation(
  api: Api,
  method: string,
  segments: readonly string[],
): FlyOperation | undefined {
  const asked = method === "HEAD" ? "GET" : method;
  const found = routesOf(api)
    .filter((route) => route.methods.includes(asked) && fits(route.words, segments))
    // A word before a parameter: `certificates/acme` is no host name.
    .sort((a, b) => stars(a) - stars(b))[0];
  if (found === undefined) return undefined;
  const id = `${found.words.filter((word) => word !== "*").join(".")}.${verbOf(asked, found.words)}`;
  return { id, ...tierOf(asked, found, id), ...labelsIn(found.words, segments) };
}

/** Deletion and reading are what they are; a rule is about the other methods, and about reads where it says so. */
function tierOf(method: string, { rule }: Route, id: string): { tier: Tier; reason: string } {
  if (method === "DELETE") return { tier: "sensitive", reason: `${id} deletes` };
  if (method === "GET")
    return rule?.reason.startsWith("returns")
      ? { tier: rule.tier, reason: `${id} ${rule.reason}` }
      : { tier: "observe", reason: `${id} reads` };
  return rule === undefined
    ? { tier: "modify", reason: `${id} writes` }
    : { tier: rule.tier, reason: `${id} ${rule.reason}` };
}

function verbOf(method: string, words: readonly string[]): string {
  const isItem = words.at(-1) === "*";
  switch (method) {
    case "GET":
      return isItem ? "get" : "list";
    case "POST":
      return isItem ? "update" : "create";
    case "DELETE":
      return "delete";
    default:
      return "update";
  }
}

function labelsIn(words: readonly string[], segments: readonly string[]): Pick<FlyOperation, "app" | "org"> {
  const owner = words[1] === "*" ? segments[1] : undefined;
  const isOrg = words[0] === "orgs" || words[0] === "organizations";
  return { app: words[0] === "apps" ? owner : undefined, org: isOrg ? owner : undefined };
}

const fits = (words: readonly string[], segments: readonly string[]): boolean =>
  words.length === segments.length && words.every((word, index) => word === "*" || word === segments[index]);

const stars = (route: Route): number => route.words.filter((word) => word === "*").length;

function routesOf(api: Api): readonly Route[] {
  let known = routes.get(api);
  if (known === undefined) {
    known = TEXTS[api].trim().split("\n").map(parseRoute);
    routes.set(api, known);
  }
  return known;
}

function parseRoute(line: string): Route {
  const [route = "", rule] = line.split(" = ");
  const [methods = "", path = ""] = route.split(" ");
  const space = rule?.indexOf(" ") ?? -1;
  return {
    methods: methods.split(","),
    words: path.split("/"),
    rule:
      rule === undefined ? undefined : { tier: rule.slice(0, space) as Tier, reason: rule.slice(space + 1) },
  };
}
