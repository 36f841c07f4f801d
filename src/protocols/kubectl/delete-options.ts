// Whether the body of a DELETE asks for a dry run. The API server reads the query only
// when the body is empty (k8s.io/apiserver/pkg/endpoints/handlers/delete.go), so a body
// `{}` turns `?dryRun=All` into a real deletion. Anything that cannot be read for
// certain counts as the real thing.

import { messageInEnvelope, readProtobufFields } from "./body/protobuf-fields.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether dryRun values make a request a dry run; the API server refuses every value but "All". */
export function isDryRun(values: readonly unknown[]): boolean {
  return values.length > 0 && values.every((value) => value === "All");
}

/** Options are a few members; a longer body is read as the real thing. */
const MOST_BYTES = 16 * 1024;

/** Whether DeleteOptions in a body say dry run: JSON, or protobuf in Kubernetes' envelope. False when they cannot be read. */
export function bodyAsksForDryRun(bytes: Uint8Array, contentType: string | undefined): boolean {
  if (bytes.length > MOST_BYTES) return false;
  const type = (contentType ?? "application/json").split(";")[0]?.trim().toLowerCase();
  if (type === "application/json" || type === "") return jsonAsksForDryRun(bytes);
  if (type === "application/vnd.kubernetes.protobuf") return protobufAsksForDryRun(bytes);
  return false;
}

function jsonAsksForDryRun(bytes: Uint8Array): boolean {
  try {
    const options: unknown = JSON.parse(utf8.decode(bytes));
    if (typeof options !== "object" || options === null || !Object.hasOwn(options, "dryRun")) return false;
    const { dryRun } = options as { dryRun: unknown };
    return Array.isArray(dryRun) && isDryRun(dryRun);
  } catch {
    return false;
  }
}

/** dryRun is field 5 of DeleteOptions. */
function protobufAsksForDryRun(bytes: Uint8Array): boolean {
  const message = messageInEnvelope(bytes);
  const fields = message === undefined ? undefined : readProtobufFields(message);
  const dryRun = fields?.filter((field) => field.number === 5);
  try {
    return (
      dryRun !== undefined &&
      isDryRun(dryRun.map((field) => (field.bytes === undefined ? "" : utf8.decode(field.bytes))))
    );
  } catch {
    return false;
  }
}
