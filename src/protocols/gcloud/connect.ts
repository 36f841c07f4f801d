// GKE's Connect gateway: a cluster's API server behind a Google host. The path below the membership
// is a Kubernetes request and is judged as one.

import type { Classification } from "../../model/classification.ts";
import type { HttpRequest, RequestHead } from "../../model/request.ts";
import { kubectlClassifier } from "../kubectl/classify.ts";
import { unknownClassification } from "../unknown.ts";
import { withUnnamed } from "../unnamed-scopes.ts";
import { type GoogleHost, readGoogleHost } from "./host.ts";
import { withPlaces } from "./labels.ts";

const MEMBERSHIP =
  /^\/v\d\w*\/projects\/([^/?%]+)\/(?:locations\/([^/?%]+)\/)?(?:gkeM|m)emberships\/[^/?%:]+(\/(?:api|apis|openapi|version|healthz|livez|readyz|metrics|logs)(?:[/?].*)?)$/;

/** The request as the cluster gets it, with the labels of the path; undefined for any other request. */
function insideCluster<T extends RequestHead>(
  host: GoogleHost,
  request: T,
): { readonly request: T; readonly labels: Record<string, string> } | undefined {
  if (host.service !== "connectgateway") return undefined;
  const match = MEMBERSHIP.exec(request.target);
  if (match === null) return undefined;
  const labels: Record<string, string> = { project: match[1] ?? "" };
  if (match[2] !== undefined) labels.location = match[2];
  return { request: { ...request, target: match[3] ?? "/" }, labels: withPlaces(labels) };
}

/** Classifies a request to a cluster behind the gateway; undefined for any other. */
export function classifyConnect(host: GoogleHost, request: HttpRequest): Classification | undefined {
  const inside = insideCluster(host, request);
  if (inside === undefined) {
    // Deeper than the membership there are only clusters, and this is no path that can be split with certainty.
    const isDeeper =
      host.service === "connectgateway" && /emberships(?:\/|%2f)[^/?]*[/]/i.test(request.target);
    return isDeeper
      ? unknownClassification("gcloud", "a path below a cluster that cannot be read")
      : undefined;
  }
  const answer = relabelled(kubectlClassifier.classify(inside.request), inside.labels);
  // Clients mostly give the project's number here, which no list of ids can match.
  return withUnnamed(answer, /^\d+$|^-$/.test(inside.labels.project ?? "-") ? ["project"] : []);
}

function relabelled(answer: Classification, labels: Record<string, string>): Classification {
  const { parts, ...whole } = answer;
  const moved = { ...whole, protocol: "gcloud", labels: { ...labels, ...whole.labels } } as const;
  return parts === undefined ? moved : { ...moved, parts: parts.map((part) => relabelled(part, labels)) };
}

/** The target as a cluster behind the gateway gets it, or as it is where it cannot be split; undefined at any other host. */
export function connectTarget(request: RequestHead): string | undefined {
  const host = readGoogleHost(request.host);
  if (host?.service !== "connectgateway") return undefined;
  return insideCluster(host, request)?.request.target ?? request.target;
}

/** Whether the cluster's request is judged by its body, too. */
export function connectNeedsBody(host: GoogleHost, head: RequestHead): boolean {
  const inside = insideCluster(host, head);
  return inside !== undefined && kubectlClassifier.needsBody(inside.request);
}
