// Which requests open a session into a cluster, and what their query says of it: exec, attach,
// port-forward, and whatever else switches protocols at a cluster, such as the kubelet's own exec
// behind `nodes/…/proxy`. Judges nothing.

import type { HttpRequest } from "../../model/request.ts";
import { parseQuery, splitTarget } from "../../wire/path.ts";
import { opensConnection } from "./access.ts";
import { resourceOf } from "./effect/cluster-path.ts";

/** A session, as its request describes it. */
export interface Session {
  /** `proxy`: a connection to something that is reached through the API server. */
  readonly kind: "exec" | "attach" | "port-forward" | "proxy";
  readonly namespace: string;
  /** Of a proxy: the path, with no namespace. */
  readonly pod: string;
  readonly container: string;
  /** Of an exec: the command and its arguments. */
  readonly argv: readonly string[];
  readonly isTty: boolean;
  readonly hasStdin: boolean;
}

const KINDS: ReadonlyMap<string, Session["kind"]> = new Map([
  ["exec", "exec"],
  ["attach", "attach"],
  ["portforward", "port-forward"],
]);

const PATH_MAX = 300;

/**
 * The session that a request opens which asks to switch protocols; undefined for a plain read, such as a watch over
 * WebSocket. A path that could be read in two ways is a session too.
 */
export function sessionOf(request: Pick<HttpRequest, "method" | "target">): Session | undefined {
  const found = resourceOf(request);
  const kind = found?.info.resource === "pods" ? KINDS.get(found.info.subresource ?? "") : undefined;
  if (found !== undefined && kind === undefined && !opensConnection(found.info.subresource)) return undefined;
  const { path, query } = splitTarget(request.target);
  const pairs = found?.query ?? parseQuery(query) ?? [];
  const values = (name: string) => pairs.filter(([each]) => each === name).map(([, value]) => value);
  const isSet = (name: string) => values(name).some((value) => value === "true" || value === "1");
  const isPod = found !== undefined && kind !== undefined;
  return {
    kind: kind ?? "proxy",
    namespace: isPod ? (found.info.namespace ?? "") : "",
    pod: isPod ? (found.info.name ?? "") : path.slice(0, PATH_MAX),
    container: values("container")[0] ?? "",
    argv: values("command"),
    isTty: isSet("tty"),
    // `input` is the kubelet's word.
    hasStdin: isSet("stdin") || isSet("input"),
  };
}
