// Google Cloud and the other googleapis.com services, from HTTP and from command lines.
// Decides which reader a request goes to and puts the answer together; each kind of
// endpoint has its own file. Whatever cannot be read for certain is unknown.

import type { Classification } from "../model/classification.ts";
import type { HttpRequest, RequestHead } from "../model/request.ts";
import type { Classifier } from "./classifier.ts";
import { readGoogleHost } from "./gcloud-host.ts";
import { classifyRest } from "./gcloud-rest.ts";
import { readGoogleTarget } from "./gcloud-target.ts";
import { effectiveMethods } from "./method-override.ts";
import { strictestOf } from "./strictest.ts";
import { unknownClassification } from "./unknown.ts";

/** The classifier of the policy's `gcloud` block. */
export const gcloudClassifier: Classifier = {
  protocol: "gcloud",
  scopes: [
    { keyword: "projects", label: "project" },
    { keyword: "regions", label: "region" },
    { keyword: "zones", label: "zone" },
    { keyword: "orgs", label: "organization" },
  ],
  programs: ["gcloud", "gsutil", "bq"],
  needsBody: (head) => needsBody(head),
  classify: (request) => classify(request),
  classifyArgv: () => unknownClassification("gcloud", "no reading of command lines yet"),
};

function needsBody(_head: RequestHead): boolean {
  return false;
}

function classify(request: HttpRequest): Classification {
  const host = readGoogleHost(request.host);
  if (host === undefined) return unknownClassification("gcloud", "not a host of a Google API");
  const target = readGoogleTarget(request.target);
  if ("problem" in target) return unknownClassification("gcloud", target.problem);
  const [first, ...others] = effectiveMethods(request);
  const byMethod = (method: string) => classifyRest(host, target, method);
  // Google documents the override for long reads sent as POST; every other combination counts twice.
  if (first === "POST" && others.length === 1 && others[0] === "GET") return byMethod("GET");
  return strictestOf(byMethod(first), ...others.map(byMethod));
}
