// Hosts on AWS's domains that serve customers' own things (APIs behind API Gateway, load balancers,
// registries, git repositories): no API of AWS is spoken there, so the method is all that tells, as
// at any host without a classifier.

import type { Classification } from "../../model/classification.ts";
import type { HttpRequest } from "../../model/request.ts";
import { splitTarget } from "../../wire/path.ts";
import { classifyByMethod } from "../generic/classify.ts";
import { withLabels } from "../with-labels.ts";

/** The classification of a request to an application; `what` names the host's kind in the reason. */
export function classifyApplication(
  request: HttpRequest,
  { what, service }: { readonly what: string; readonly service: string | undefined },
  place: Readonly<Record<string, string>>,
): Classification {
  const labels = service === undefined ? place : { ...place, service };
  const byMethod = withLabels(classifyByMethod("aws", request), labels);
  // git fetches by POST; the pack that it asks for is the only thing that such a path serves.
  if (
    what === "a git repository" &&
    byMethod.tier === "modify" &&
    splitTarget(request.target).path.endsWith("/git-upload-pack")
  )
    return { ...byMethod, tier: "observe", reason: `${what}: a fetch` };
  return { ...byMethod, reason: `${what}: ${byMethod.reason}` };
}
