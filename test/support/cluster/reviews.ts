// Access reviews: the API's answers to "who am I" and "may I".

import type { User } from "./authentication.ts";
import { type KubeObject, textAt } from "./object/kube-object.ts";
import { timestamp } from "./object/store.ts";

const READ_VERBS = ["get", "list", "watch"];

/** Members of system:masters may do everything, everybody else may read what is not a secret. */
export function mayUser(user: User, verb: string, resource: string): boolean {
  if (user.groups.includes("system:masters")) return true;
  return READ_VERBS.includes(verb) && resource !== "secrets";
}

/** Fills in the status of a review object that was posted. */
export function answerReview(review: KubeObject, user: User): KubeObject {
  const metadata = { ...review.metadata, creationTimestamp: timestamp() };
  return { ...review, metadata, status: statusOf(review, user) };
}

function statusOf(review: KubeObject, user: User): unknown {
  const userInfo = { username: user.name, groups: user.groups };
  if (review.kind === "SelfSubjectReview") return { userInfo };
  if (review.kind === "SelfSubjectRulesReview") {
    const verbs = user.groups.includes("system:masters") ? ["*"] : READ_VERBS;
    return {
      resourceRules: [{ verbs, apiGroups: ["*"], resources: ["*"] }],
      nonResourceRules: [{ verbs, nonResourceURLs: ["*"] }],
      incomplete: false,
    };
  }
  const verb = textAt(
    review,
    "spec.resourceAttributes.verb",
    textAt(review, "spec.nonResourceAttributes.verb"),
  );
  const resource = textAt(review, "spec.resourceAttributes.resource");
  return { allowed: mayUser(user, verb, resource) };
}
