// Validating webhooks as kube-apiserver 1.36.2 was seen to treat them: one with effects of its own
// (`Some` or `Unknown`, which it takes only from objects of an earlier version) makes every dry run
// a 400 and is not called for it; one that is `None` or `NoneOnDryRun` is called with
// `dryRun: true`. Nothing here goes over a network: calls are counted.

import { badRequest } from "./api-error.ts";
import type { ApiCall } from "./api-path.ts";
import { listAt, textAt } from "./object/kube-object.ts";
import { findResource } from "./object/resources.ts";
import type { ObjectStore } from "./object/store.ts";

/** A call of a webhook. */
export interface WebhookCall {
  readonly webhook: string;
  readonly resource: string;
  readonly isDryRun: boolean;
}

const calls = new WeakMap<ObjectStore, WebhookCall[]>();

/** The calls so far in one cluster. */
export function webhookCalls(store: ObjectStore): readonly WebhookCall[] {
  return calls.get(store) ?? [];
}

/** Calls those that have a rule for the resource; a 400 when one of them may not be called in a dry run. */
export function callWebhooks(call: ApiCall, store: ObjectStore, isDryRun: boolean): void {
  const type = findResource("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations");
  const found =
    type === undefined ? [] : store.list(type, undefined).flatMap((each) => listAt(each, "webhooks"));
  const chosen = found.filter((each) =>
    listAt(each, "rules").some(
      ({ resources }) => Array.isArray(resources) && resources.includes(call.resource.plural),
    ),
  );
  for (const webhook of isDryRun ? chosen : [])
    if (!/^None(?:OnDryRun)?$/.test(textAt(webhook, "sideEffects")))
      throw badRequest(`admission webhook "${textAt(webhook, "name")}" does not support dry run`);
  const made = chosen.map((each) => ({
    webhook: textAt(each, "name"),
    resource: call.resource.plural,
    isDryRun,
  }));
  calls.set(store, [...webhookCalls(store), ...made]);
}
