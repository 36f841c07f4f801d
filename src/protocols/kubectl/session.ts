// Which requests open a session into a cluster, and what their query says of it: exec, attach,
// port-forward. Judges nothing; a request that is read in two ways is none.

import type { HttpRequest } from "../../model/request.ts";
import { resourceOf } from "./effect/cluster-path.ts";

/** A session, as its request describes it. */
export interface Session {
  readonly kind: "exec" | "attach" | "port-forward";
  readonly namespace: string;
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

/** The session that a request opens; undefined for every other request. */
export function sessionOf(request: Pick<HttpRequest, "method" | "target">): Session | undefined {
  const found = resourceOf(request);
  const kind = KINDS.get(found?.info.subresource ?? "");
  if (found === undefined || kind === undefined || found.info.resource !== "pods") return undefined;
  const { info, query } = found;
  const values = (name: string) => query.filter(([each]) => each === name).map(([, value]) => value);
  const isSet = (name: string) => values(name).some((value) => value === "true" || value === "1");
  return {
    kind,
    namespace: info.namespace ?? "",
    pod: info.name ?? "",
    container: values("container")[0] ?? "",
    argv: values("command"),
    isTty: isSet("tty"),
    hasStdin: isSet("stdin"),
  };
}
