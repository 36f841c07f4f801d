// Logs, exec and attach of a pod.

import { badRequest } from "../api-error.ts";
import type { ApiCall } from "../api-path.ts";
import type { ClusterRequest, Reply } from "../http-connection.ts";
import { type KubeObject, listAt } from "../object/kube-object.ts";
import type { PodRuntime } from "./pod-runtime.ts";
import { serveRemoteCommand } from "./remote-command.ts";

/** A request on one pod. */
export interface PodRequest {
  readonly pods: PodRuntime;
  readonly stopped: AbortSignal;
  readonly pod: KubeObject;
  readonly call: ApiCall;
  readonly request: ClusterRequest;
  readonly reply: Reply;
}

/** GET pods/log, with follow, tailLines, timestamps and sinceSeconds. */
export async function serveLog({ pods, stopped, pod, call, reply }: PodRequest): Promise<void> {
  requireContainer(pod, call.query.get("container"));
  const { namespace = "", name } = pod.metadata;
  const withTime = call.query.get("timestamps") === "true";
  const since = Date.now() - Number(call.query.get("sinceSeconds") ?? Number.POSITIVE_INFINITY) * 1000;
  const tail = Number(call.query.get("tailLines") ?? Number.POSITIVE_INFINITY);
  const ended = AbortSignal.any([reply.gone, stopped]);
  const body = await reply.stream(200, { "Content-Type": "text/plain" });
  let seen = Math.max(0, pods.lines(namespace, name).length - tail);
  for (;;) {
    const lines = pods.lines(namespace, name, seen);
    seen += lines.length;
    for (const { at, text } of lines)
      if (Date.parse(at) >= since || Number.isNaN(since))
        await body.write(`${withTime ? `${at} ` : ""}${text}\n`);
    if (call.query.get("follow") !== "true" || ended.aborted) break;
    await pods.grown(namespace, name, ended);
  }
  await body.end();
}

/** pods/exec: a real process in the pod's directory. */
export async function serveExec({ pods, pod, call, request, reply }: PodRequest): Promise<void> {
  requireContainer(pod, call.query.get("container"));
  const argv = call.query.getAll("command");
  if (argv.length === 0) throw badRequest("you must specify at least 1 command for the container");
  const { namespace = "", name } = pod.metadata;
  await serveRemoteCommand(request, reply, call.query, (streams) => pods.run(namespace, name, argv, streams));
}

/** pods/attach: shows the log as it grows; what comes on stdin becomes log lines. */
export async function serveAttach({ pods, stopped, pod, call, request, reply }: PodRequest): Promise<void> {
  const { namespace = "", name } = pod.metadata;
  await serveRemoteCommand(request, reply, call.query, async ({ stdin, stdout, gone }) => {
    const finished = new AbortController();
    const ended = AbortSignal.any([gone, stopped, finished.signal]);
    let seen = pods.lines(namespace, name).length;
    void (async () => {
      if (stdin === undefined) return;
      for (let bytes = await stdin.read(); bytes !== undefined; bytes = await stdin.read())
        for (const line of Buffer.from(bytes).toString("utf8").trimEnd().split("\n"))
          pods.log(namespace, name, `read: ${line}`);
      finished.abort();
    })();
    for (;;) {
      const lines = pods.lines(namespace, name, seen);
      seen += lines.length;
      for (const { text } of lines) await stdout(Buffer.from(`${text}\n`));
      if (ended.aborted) return { code: 0 };
      await pods.grown(namespace, name, ended);
    }
  });
}

function requireContainer(pod: KubeObject, container: string | null): void {
  const names = listAt(pod, "spec.containers").map((each) => each.name);
  const added = listAt(pod, "spec.ephemeralContainers").map((each) => each.name);
  if (container !== null && added.includes(container)) return;
  if (container === null && names.length > 1)
    throw badRequest(
      `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names.join(" ")}]`,
    );
  if (container !== null && !names.includes(container))
    throw badRequest(`container ${container} is not valid for pod ${pod.metadata.name}`);
}
