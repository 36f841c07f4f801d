// The answers of the methods `classify` and `decide`, made from a policy and a request that was
// typed. Used by the daemon with the active policy and by the command line, without a daemon, with
// the file's. It judges with the very functions the gateway judges with and adds no opinion of its
// own.

import type { HttpRequest } from "../model/request.ts";
import { UserError } from "../model/user-error.ts";
import { judge } from "../policy/decide/judge.ts";
import { routeOf } from "../policy/decide/route.ts";
import type { Policy } from "../policy/policy.ts";
import { classifyRow, type DecodeBody, splitUrl } from "../protocols/batch.ts";
import { parseAuthority } from "../wire/http1/connect-request.ts";
import { isAll, TARGET, TOKEN } from "../wire/octet-class.ts";
import type { ControlMethods } from "./methods.ts";
import type { ClassifyReport, DecideReport } from "./reports.ts";

/** Classifies a typed request by the protocol that the policy routes its host to, or that its host name suggests. */
export function explainClassify(
  policy: Policy | undefined,
  input: ControlMethods["classify"]["input"],
  decodeBody: DecodeBody,
): ClassifyReport {
  checkMethod(input.method);
  const split = splitUrl(input.url);
  if ("problem" in split) {
    throw new UserError(`'${input.url}' is not a URL to classify: ${split.problem}`, {
      hint: "type the whole URL: https://host/path",
      exitCode: 2,
    });
  }
  const route = policy === undefined ? undefined : routeOf(policy, split);
  const { protocol, tier, command, labels, reason } = classifyRow(
    { ...input, protocol: route?.protocol },
    decodeBody,
  );
  return { protocol, tier, command, labels, reason, ...(route === undefined ? {} : { entry: route.entry }) };
}

/** Judges a typed request; `splice` when no inspect entry of the policy covers the host. */
export function explainDecide(policy: Policy, input: ControlMethods["decide"]["input"]): DecideReport {
  const { method, path } = input;
  checkMethod(method);
  const authority = parseAuthority(input.host, 443);
  if (authority === undefined) {
    throw new UserError(`'${input.host}' is not a host`, { hint: "type host or host:port", exitCode: 2 });
  }
  if (!path.startsWith("/") || !isAll(path, TARGET)) {
    throw new UserError(`'${path}' is not a path`, {
      hint: "type it as sent, from the first slash: /api/v1/pods",
      exitCode: 2,
    });
  }
  const route = routeOf(policy, authority);
  if (route === undefined) {
    return {
      decision: "splice",
      reason: "no inspect entry covers this host: its connections pass through unread",
    };
  }
  const request: HttpRequest = { ...authority, method, target: path, headers: [], body: { kind: "none" } };
  const { classification, verdict } = judge(policy, [route.protocol], request);
  const { protocol, tier, command, labels, reason } = classification;
  return {
    decision: verdict.action,
    reason: verdict.reason,
    classification: { protocol, tier, command, labels, reason, entry: route.entry },
    rule: verdict.rule,
    line: verdict.line,
  };
}

function checkMethod(method: string): void {
  if (method !== "" && isAll(method, TOKEN)) return;
  throw new UserError(`'${method}' is not an HTTP method`, {
    hint: "type it as sent: GET, POST, …",
    exitCode: 2,
  });
}
