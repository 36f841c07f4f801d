// DeleteOptions as the API server reads them: from the body, and from the query only when the body
// is empty. Also the body with preconditions with which an allowed delete goes out, so that exactly
// the shown objects are deleted.

import { type HttpRequest, headerValue } from "../../../model/request.ts";
import { isFields, type ObjectFields, textAt } from "./normalise.ts";

/** The fate of an object's dependents. */
export type Propagation = "Background" | "Foreground" | "Orphan";

/** The options of a delete request. */
export interface DeleteOptions {
  /** As JSON; undefined when the body is in a form that iddio does not write (protobuf, YAML) or cannot be read. */
  readonly fields: ObjectFields | undefined;
  readonly propagation: Propagation | undefined;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads the options of a DELETE. */
export function deleteOptionsOf(
  request: Pick<HttpRequest, "headers" | "body">,
  query: readonly (readonly [string, string])[],
): DeleteOptions {
  const fields = fieldsOf(request, query);
  if (fields === undefined) return { fields, propagation: undefined };
  const policy = textAt(fields, "propagationPolicy");
  if (policy === "Background" || policy === "Foreground" || policy === "Orphan")
    return { fields, propagation: policy };
  const orphans = fields.orphanDependents;
  return { fields, propagation: orphans === true ? "Orphan" : orphans === false ? "Background" : undefined };
}

function fieldsOf(
  { headers, body }: Pick<HttpRequest, "headers" | "body">,
  query: readonly (readonly [string, string])[],
): ObjectFields | undefined {
  if (body.kind === "unread") return undefined;
  if (body.kind === "none" || body.bytes.length === 0) return fromQuery(query);
  const type = (headerValue(headers, "content-type") ?? "application/json")
    .split(";")[0]
    ?.trim()
    .toLowerCase();
  if (type !== "application/json" && type !== "") return undefined;
  try {
    const parsed: unknown = JSON.parse(utf8.decode(body.bytes));
    return isFields(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** The options that a query may give; with another one beside them the query stays what counts. */
function fromQuery(query: readonly (readonly [string, string])[]): ObjectFields | undefined {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of query)
    switch (name) {
      case "propagationPolicy":
        fields.propagationPolicy = value;
        break;
      case "orphanDependents":
        if (value !== "true" && value !== "false") return undefined;
        fields.orphanDependents = value === "true";
        break;
      case "gracePeriodSeconds":
        if (!/^\d{1,9}$/.test(value)) return undefined;
        fields.gracePeriodSeconds = Number(value);
        break;
      case "pretty":
      case "timeout":
      case "fieldManager":
        break;
      default:
        return undefined;
    }
  return fields;
}

/**
 * The body of a DELETE with these options and preconditions; undefined where the client's own preconditions name another
 * object or version, so that the two can never both hold.
 */
export function pinnedDelete(
  options: ObjectFields,
  pin: { readonly uid: string; readonly resourceVersion: string },
): Uint8Array | undefined {
  const given = isFields(options.preconditions) ? options.preconditions : {};
  const { uid = pin.uid, resourceVersion = pin.resourceVersion } = given;
  if (uid !== pin.uid || resourceVersion !== pin.resourceVersion) return undefined;
  return encode({ kind: "DeleteOptions", apiVersion: "v1", ...options, preconditions: { ...given, ...pin } });
}

/** The body of a DELETE that is a dry run. */
export function dryRunDelete(options: ObjectFields): Uint8Array {
  return encode({ kind: "DeleteOptions", apiVersion: "v1", ...options, dryRun: ["All"] });
}

/** The API server's default: Jobs and replication controllers leave their Pods behind. */
export function defaultPropagation(group: string, resource: string): Propagation {
  const orphans =
    (group === "batch" && resource === "jobs") || (group === "" && resource === "replicationcontrollers");
  return orphans ? "Orphan" : "Background";
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
