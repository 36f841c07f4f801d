// Cloud Storage's XML API, the S3-like one: `storage.googleapis.com/bucket/object` and
// `bucket.storage.googleapis.com/object`. Object names are opaque: slashes, dots and escapes
// belong to them, so nothing but bucket, subresource and method is read.
// https://cloud.google.com/storage/docs/xml-api/reference-methods

import type { Classification } from "../../../model/classification.ts";
import { headerValue, type RequestHead } from "../../../model/request.ts";
import type { Tier } from "../../../model/tier.ts";
import { parseQuery, splitTarget } from "../../../wire/path.ts";
import { unknownClassification } from "../../unknown.ts";
import { withUnnamed } from "../../unnamed-scopes.ts";
import type { GoogleHost } from "../host.ts";

/** First segments that belong to the JSON API and to other endpoints; no bucket may have these names there. */
const JSON_PREFIXES: ReadonlySet<string> = new Set([
  "storage",
  "upload",
  "download",
  "resumable",
  "simple",
  "batch",
  "discovery",
  "$discovery",
]);

/** Whether a request is one of the XML API. */
export function isXmlStorage(host: GoogleHost, path: string): boolean {
  if (host.bucket !== undefined) return true;
  if (!/^(?:storage|commondatastorage|storage-download|storage-upload)$/.test(host.service)) return false;
  const first = path.split("/")[1] ?? "";
  // Storage's newer API has its version first; a bucket's name has at least three characters.
  return !JSON_PREFIXES.has(first) && !/^v\d$/.test(first);
}

const BUCKET = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;

/** Classifies a request of the XML API under one method. */
export function classifyXmlStorage(host: GoogleHost, head: RequestHead, method: string): Classification {
  const { path, query } = splitTarget(head.target);
  const slash = path.indexOf("/", 1);
  const first = slash < 0 ? path.slice(1) : path.slice(1, slash);
  const bucket = host.bucket ?? first;
  const key = host.bucket !== undefined ? path.slice(1) : slash < 0 ? "" : path.slice(slash + 1);
  if (bucket !== "" && !BUCKET.test(bucket))
    return unknownClassification("gcloud", "no bucket has this name");
  const pairs = parseQuery(query);
  if (pairs === undefined) return unknownClassification("gcloud", "malformed query");
  const names = new Set(pairs.map(([name]) => name));
  const collection = bucket === "" ? "service" : key === "" ? "buckets" : "objects";
  // The field says in which project to list or make buckets. To any other request a sender may add it at will.
  const isMade = collection === "buckets" && method === "PUT" && names.size === 0;
  const project =
    collection === "service" || isMade ? headerValue(head.headers, "x-goog-project-id") : undefined;
  const labels: Record<string, string> = project === undefined || project === "" ? {} : { project };
  const isNamed = labels.project !== undefined && !/^\d+$/.test(labels.project);
  // An upload is of an object and has an id. Elsewhere a server may not look at the field, and delete.
  const isUpload =
    collection === "objects" &&
    pairs.some(([name, value]) => (name === "uploadId" || name === "upload_id") && value !== "");
  const operation = xmlOperation(method, collection, names, isUpload);
  if (operation === undefined)
    return unknownClassification("gcloud", `unknown method '${method}'`, { labels });
  const [tier, verb, reason] =
    grantsAccess([...head.headers, ...pairs]) && operation[0] !== "observe" ? GRANT : operation;
  const command = `storage.${collection}.${verb}`;
  return withUnnamed(
    { protocol: "gcloud", tier, command, aliases: [], labels, reason },
    isNamed ? ["region"] : ["project", "region"],
  );
}

type Operation = readonly [tier: Tier, verb: string, reason: string];

const GRANT: Operation = ["break-glass", "setAcl", "changes who has access"];

function xmlOperation(
  method: string,
  collection: string,
  names: ReadonlySet<string>,
  isUpload: boolean,
): Operation | undefined {
  const isAcl = names.has("acl") || names.has("defaultObjectAcl") || names.has("policy");
  switch (method) {
    case "GET":
    case "HEAD":
    case "OPTIONS":
      return ["observe", isAcl ? "getAcl" : collection === "objects" ? "get" : "list", "reads"];
    case "PUT":
      if (isAcl) return GRANT;
      return ["modify", collection === "buckets" ? "insert" : "insert", "writes"];
    case "DELETE":
      if (isUpload) return ["modify", "abortUpload", "abandons an upload"];
      return isAcl ? GRANT : ["sensitive", "delete", "deletes"];
    case "POST":
      if (names.has("delete")) return ["sensitive", "delete", "deletes several objects"];
      return isAcl ? GRANT : ["modify", "insert", "writes"];
    default:
      return undefined;
  }
}

/** Access lists that let nobody else in. */
const PRIVATE_ACL = /^(?:private|project-?private|bucket-?owner-?(?:read|full-?control))$/i;

/** Whether the fields of an upload, in the head or in a signed URL's query, open the uploaded object to others. */
function grantsAccess(fields: readonly (readonly [string, string])[]): boolean {
  return fields.some(([name, value]) => {
    if (/^x-(?:goog|amz)-grant-/i.test(name)) return true;
    return /^x-(?:goog|amz)-acl$/i.test(name) && !PRIVATE_ACL.test(value.trim());
  });
}

/** Whether the query of a JSON request opens the written object to others. */
export function predefinesAccess(query: readonly (readonly [string, string])[]): boolean {
  return query.some(
    ([name, value]) =>
      /^(?:predefinedAcl|predefinedDefaultObjectAcl|destinationPredefinedAcl)$/.test(name) &&
      !PRIVATE_ACL.test(value),
  );
}
