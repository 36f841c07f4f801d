// S3's POST Object: an upload by an HTML form to the root of a bucket, with the access list in a
// field of the form. A form may be cut in more ways than one, so its fields are looked for anywhere
// in the body.

import { headerValues } from "../../../model/request.ts";
import type { OperationSource } from "../operation.ts";

/** Whether a request to S3 is an upload by form. */
export function isFormUpload(source: Pick<OperationSource, "method" | "query" | "headers">): boolean {
  const types = headerValues(source.headers, "content-type");
  return (
    source.method === "POST" &&
    (source.query ?? "") === "" &&
    types.length === 1 &&
    /^\s*multipart\/form-data\s*;/i.test(types[0] ?? "")
  );
}

/** Whether the form sets an access list by which others gain access; undefined when it was not read. */
export function formOpensAccess({ body }: Pick<OperationSource, "body">): boolean | undefined {
  if (body.kind === "none") return false;
  if (body.kind === "unread") return undefined;
  const text = new TextDecoder("latin1").decode(body.bytes);
  // The lists that give nobody else anything may stand there; whatever else it is opens.
  for (const { index } of text.matchAll(/name="?acl\b/gi))
    if (!PRIVATE.test(text.slice(index, index + 300))) return true;
  return /name="?x-amz-grant-/i.test(text);
}

const PRIVATE =
  /^name="?acl"?[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n(?:private|bucket-owner-read|bucket-owner-full-control)\s*\r?\n/i;
