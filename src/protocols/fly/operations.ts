// The published operations of Fly's REST APIs, from operations.tsv: the Machines API (below `/v1`
// at api.machines.dev) and the web API that flyctl uses beside it (below `/api/v1` at api.fly.io).
// The table gives the tiers, too, each with its reason. Knows no request.

import type { Tier } from "../../model/tier.ts";
import { Catalogue } from "../catalogue.ts";
import table from "./operations.tsv" with { type: "text" };

/** A found operation. */
export interface FlyOperation {
  /** The path's words and a verb, `apps.machines.exec`. */
  readonly id: string;
  readonly tier: Tier;
  readonly reason: string;
  readonly app: string | undefined;
  readonly org: string | undefined;
}

/** Every operation with its tier. */
export const flyTable = new Catalogue(table);

interface Route {
  readonly id: string;
  readonly method: string;
  readonly words: readonly string[];
  readonly tier: Tier;
  readonly reason: string;
}

type Api = "machines" | "web";

const routes = new Map<Api, readonly Route[]>();

/** The operation of a method and of the segments below `/v1` or `/api/v1`; undefined for none that is known. */
export function findFlyOperation(
  api: Api,
  method: string,
  segments: readonly string[],
): FlyOperation | undefined {
  const asked = method === "HEAD" ? "GET" : method;
  const found = routesOf(api)
    .filter((route) => route.method === asked && fits(route.words, segments))
    // A word before a parameter: `certificates/acme` is no host name.
    .sort((a, b) => stars(a) - stars(b))[0];
  if (found === undefined) return undefined;
  const { id, tier, reason } = found;
  return { id, tier, reason: `${id} ${reason}`, ...labelsIn(found.words, segments) };
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
    known = flyTable.rowsOf(api).flatMap(({ operation, routes: places, tier, more }) =>
      places.map(({ method, path }) => ({
        id: operation,
        method,
        words: path.slice(1).split("/"),
        tier: tier as Tier,
        reason: more[0] ?? "",
      })),
    );
    routes.set(api, known);
  }
  return known;
}

/** Other names of an operation: `apps.machines.exec.create` is what people call `machines exec`. */
export function flyNames(id: string): readonly string[] {
  const words = id.replace(/^apps\.(?=[a-z_]+\.)/, "").split(".");
  const isAction = /^(?:cordon|uncordon|exec|restart|signal|start|stop|suspend|extend)$/.test(
    words.at(-2) ?? "",
  );
  return [(isAction ? words.slice(0, -1) : words).join(" ")];
}
