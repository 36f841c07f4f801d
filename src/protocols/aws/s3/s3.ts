// S3's own way of addressing: the bucket in the host or first in the path, and keys that are opaque
// (`//`, `..` and `%2F` are part of them). Turns that into the model's `/{Bucket}/{Key+}` and picks
// among operations that only a field or a query parameter tells apart. Knows no tiers.

import { type Header, headerValue } from "../../../model/request.ts";
import { decodePercent, parseQuery } from "../../../wire/path.ts";
import { lenientReadings } from "../../lenient-path.ts";
import { type AwsOperation, awsCatalogue } from "../catalogue.ts";
import { AwsGroup } from "../group.ts";
import { looseQuery, type OperationReading, type OperationSource } from "../operation.ts";
import { formOpensAccess, isFormUpload } from "./form.ts";

/** A request to S3 as it was read. */
export interface S3Reading {
  readonly reading: OperationReading;
  /** The bucket, or the access point in its place. */
  readonly bucket: string | undefined;
  /** Whether its fields also set an access list by which others gain access. */
  readonly opensAccess: boolean;
}

/** Reads a request to S3's data plane; `hostBucket` is the bucket that the host name gave. */
export function readS3(source: OperationSource, hostBucket: string | undefined): S3Reading {
  const { method, path, headers } = source;
  const target = readS3Path(path, hostBucket);
  const query = parseQuery(source.query);
  const index = s3Group().templates;
  // Presigned URLs carry fields in the query, and S3 takes them from there.
  const opens = opensAccess([...headers, ...looseQuery(source.query)]);
  const doubt = (reason: string): S3Reading => {
    const places = target.kind === "ok" ? [target.segments] : lenientReadings(path).map(asPlace);
    const possible = places.flatMap((place) => index.possible(method, place, looseQuery(source.query)));
    const bucket = target.kind === "ok" ? target.bucket : undefined;
    return { reading: { kind: "unknown", reason, possible }, bucket, opensAccess: opens };
  };
  if (target.kind === "ambiguous") return doubt(target.reason);
  if (query === undefined) return doubt("the query cannot be read");
  // With it a DELETE gives up an upload, without it the object goes; which of them an empty one is, nobody says.
  if (query.some(([name, value]) => name === "uploadId" && value === ""))
    return doubt("the id of the upload is empty");
  if (target.segments.length === 1 && isFormUpload(source)) {
    const opensByForm = formOpensAccess(source);
    const upload = s3Group().apis[0]?.operationByCliName("put-object");
    if (opensByForm === undefined || upload === undefined)
      return doubt("an upload by form, whose fields were not read");
    const reading: OperationReading = { kind: "found", operations: [upload] };
    return { reading, bucket: target.bucket, opensAccess: opens || opensByForm };
  }
  const match = index.match(method, target.segments, () => query);
  if (match.kind === "none") return doubt("no operation has this method and path");
  if (match.kind === "ambiguous") return doubt("the query selects more than one operation");
  const operations = selectS3(match.operations, headers, query);
  if (operations.length === 0) return doubt("no operation has this method, path and parameters");
  const isRead = method === "GET" || method === "HEAD";
  const strange =
    isRead || operations[0] === undefined ? undefined : unknownSubresource(query, operations[0]);
  if (strange !== undefined) return doubt("the query has a subresource that is not known");
  return { reading: { kind: "found", operations }, bucket: target.bucket, opensAccess: opens };
}

let group: AwsGroup | undefined;

function s3Group(): AwsGroup {
  const api = awsCatalogue().byCli.get("s3api");
  group ??= new AwsGroup(api === undefined ? [] : [api]);
  return group;
}

/** A bucket and all the rest as its key. */
function asPlace(segments: readonly string[]): readonly string[] {
  const [bucket, ...key] = segments;
  if (bucket === undefined) return [];
  return key.length === 0 ? [bucket] : [bucket, key.join("/")];
}

/** The target of an S3 path: nothing, a bucket, or a key in it; the key stays as sent. */
type S3Target =
  | { readonly kind: "ok"; readonly bucket: string | undefined; readonly segments: readonly string[] }
  | { readonly kind: "ambiguous"; readonly reason: string };

/** Reads a raw path; `hostBucket` is the bucket that the host name gave. */
function readS3Path(path: string, hostBucket: string | undefined): S3Target {
  if (!path.startsWith("/")) return { kind: "ambiguous", reason: "the path does not start with a slash" };
  if (hostBucket !== undefined) return target(hostBucket, path.slice(1));
  const slash = path.indexOf("/", 1);
  const raw = slash < 0 ? path.slice(1) : path.slice(1, slash);
  if (raw === "") {
    if (path === "/") return { kind: "ok", bucket: undefined, segments: [] };
    return { kind: "ambiguous", reason: "the path names no bucket" };
  }
  const bucket = decodePercent(raw);
  // An access point may stand in the bucket's place as an ARN, which has slashes of its own.
  if (bucket === undefined || !(isBucketName(bucket) || bucket.startsWith("arn:")))
    return { kind: "ambiguous", reason: "the first segment of the path is not a bucket name" };
  return target(bucket, slash < 0 ? "" : path.slice(slash + 1));
}

function target(bucket: string, key: string): S3Target {
  return { kind: "ok", bucket, segments: key === "" ? [bucket] : [bucket, key] };
}

function isBucketName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(name) && !name.includes("..");
}

/** Query parameters of S3 that are no subresources. */
const PARAMETERS =
  /^(?:x-id|x-amz-.*|response-.*|versionid|partnumber|uploadid|part-number-marker|prefix|delimiter|marker|key-marker|version-id-marker|upload-id-marker|max-(?:keys|uploads|parts|buckets|directory-buckets)|encoding-type|list-type|continuation-token|start-after|fetch-owner|id|bucket-region|awsaccesskeyid|signature|expires|expected-bucket-owner|select-type|allow-unordered|annotation-name|max-annotations)$/i;

/**
 * A key in the query that is neither a parameter nor one of the subresources that the operation was found by: S3
 * may know it as a newer subresource, and then the request does something else. Only keys without a value count.
 */
function unknownSubresource(
  query: readonly (readonly [string, string])[],
  operation: AwsOperation,
): string | undefined {
  for (const [key, value] of query)
    if (value === "" && !PARAMETERS.test(key) && !operation.bindings.some(({ path }) => demands(path, key)))
      return key;
  return undefined;
}

function demands(binding: string, key: string): boolean {
  const mark = binding.indexOf("?");
  return (
    mark >= 0 &&
    binding
      .slice(mark + 1)
      .split("&")
      .some((one) => one === key || one.startsWith(`${key}=`))
  );
}

/** Of operations with the same method and path those that fields and parameters select, mostly one. */
function selectS3(
  operations: readonly AwsOperation[],
  headers: readonly Header[],
  query: readonly (readonly [string, string])[],
): readonly AwsOperation[] {
  const has = (key: string) => query.some(([name]) => name === key);
  const isCopy = headerValue(headers, "x-amz-copy-source") !== undefined;
  const isPart = has("uploadId");
  return operations.filter(({ name }) => {
    switch (name) {
      case "CopyObject":
        return isCopy && !isPart;
      case "UploadPartCopy":
        return isCopy && isPart;
      case "UploadPart":
        return !isCopy && isPart;
      case "PutObject":
        return !isCopy && !isPart;
      case "AbortMultipartUpload":
      case "ListParts":
      case "CompleteMultipartUpload":
        return isPart;
      case "GetObject":
      case "DeleteObject":
        return !isPart;
      case "GetBucketLifecycle":
      case "PutBucketLifecycle":
      case "GetBucketNotification":
      case "PutBucketNotification":
      case "ListDirectoryBuckets":
        return false;
      default:
        if (/^ListBucket\w+Configurations$/.test(name)) return !has("id");
        if (/^GetBucket(?:Analytics|IntelligentTiering|Inventory|Metrics)Configuration$/.test(name))
          return has("id");
        return true;
    }
  });
}

/** Fields by which an upload also sets an access list that others profit from. */
function opensAccess(headers: readonly Header[]): boolean {
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (lower === "x-amz-acl" && /^(?:public-|authenticated-)/i.test(value.trim())) return true;
    if (lower.startsWith("x-amz-grant-")) return true;
  }
  return false;
}
