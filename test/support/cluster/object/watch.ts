// Watches: events as they happen, one JSON line each, as objects or as table rows.

import type { ApiCall } from "../api-path.ts";
import type { Reply } from "../http-connection.ts";
import type { KubeObject } from "./kube-object.ts";
import { groupVersionOf } from "./resources.ts";
import { fieldSelector, labelSelector } from "./selectors.ts";
import type { ObjectStore } from "./store.ts";
import { tableOf } from "./table.ts";

/** Streams until the client goes, the timeout is over or the cluster stops. */
export async function serveWatch(
  call: ApiCall,
  reply: Reply,
  store: ObjectStore,
  form: { readonly asTable: boolean; readonly include: string },
  stopped: AbortSignal,
): Promise<void> {
  const labels = labelSelector(call.query.get("labelSelector"));
  const fields = fieldSelector(call.query.get("fieldSelector"));
  const matches = (object: KubeObject) =>
    (call.namespace === undefined || object.metadata.namespace === call.namespace) &&
    (call.name === undefined || object.metadata.name === call.name) &&
    labels(object) &&
    fields(object);
  const body = await reply.stream(200, { "Content-Type": "application/json" });
  let isFirst = true;
  const send = (type: string, object: KubeObject) => {
    const shown = form.asTable
      ? tableOf(call.resource, [object], {
          version: object.metadata.resourceVersion ?? "",
          include: form.include,
          withColumns: isFirst,
        })
      : object;
    isFirst = false;
    void body.write(`${JSON.stringify({ type, object: shown })}\n`);
  };
  const version = call.query.get("resourceVersion") ?? "";
  const fromStart = version === "" || version === "0";
  const startedAt = store.version;
  if (fromStart)
    for (const object of store.list(call.resource, call.namespace))
      if (matches(object)) send("ADDED", object);
  if (call.query.get("sendInitialEvents") === "true")
    send("BOOKMARK", {
      apiVersion: groupVersionOf(call.resource),
      kind: call.resource.kind,
      metadata: {
        name: "",
        resourceVersion: String(startedAt),
        annotations: { "k8s.io/initial-events-end": "true" },
      },
    });
  const stop = store.watch(fromStart ? startedAt : Number(version), (event) => {
    if (event.resource === call.resource && matches(event.object)) send(event.type, event.object);
  });
  const seconds = Number(call.query.get("timeoutSeconds") ?? 1800);
  await firstOf(seconds * 1000, reply.gone, stopped);
  stop();
  await body.end();
}

function firstOf(timeoutMs: number, ...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, timeoutMs);
    function done() {
      clearTimeout(timer);
      resolve();
    }
    for (const signal of signals) {
      if (signal.aborted) done();
      signal.addEventListener("abort", done, { once: true });
    }
  });
}
