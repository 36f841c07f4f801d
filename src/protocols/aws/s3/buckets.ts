// Buckets of S3 that are not simply named in host or path: the source of a copy, and the bucket
// behind an access point, whose name its owner chose. Knows no operations.

import { headerValues, type RequestHead } from "../../../model/request.ts";
import { decodePercent, splitTarget } from "../../../wire/path.ts";
import { looseQuery } from "../operation.ts";

/**
 * The source of a copy; its bucket is undefined where it cannot be known. Undefined for a request that copies
 * nothing.
 */
export function copySource(head: RequestHead): { readonly bucket: string | undefined } | undefined {
  const { query } = splitTarget(head.target);
  // In the query S3 may take it for the field or for nothing.
  if (looseQuery(query).some(([name]) => name.toLowerCase() === "x-amz-copy-source"))
    return { bucket: undefined };
  const [value, second] = headerValues(head.headers, "x-amz-copy-source");
  if (value === undefined) return undefined;
  // `bucket/key` or `/bucket/key`, escaped or not; an access point is an ARN.
  const text = second === undefined ? decodePercent(value.trim()) : undefined;
  return { bucket: /^\/?([A-Za-z0-9][A-Za-z0-9._-]*)\//.exec(text ?? "")?.[1] };
}

const ACCESS_POINT_HOST = /\.(?:s3-accesspoint|s3-object-lambda|s3-global|s3-outposts|accesspoint)[.-]/;
const ACCESS_POINT_NAME = /^arn:|-s3alias$|--ol-s3$|--xa-s3$|\.mrap$/;

/** Whether the name in the bucket's place is that of an access point, which says nothing of the bucket behind it. */
export function isThroughAccessPoint(host: string, bucket: string | undefined): boolean {
  return ACCESS_POINT_HOST.test(host) || (bucket !== undefined && ACCESS_POINT_NAME.test(bucket));
}
