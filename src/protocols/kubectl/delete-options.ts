// Whether the body of a DELETE asks for a dry run. The API server reads the query only
// when the body is empty (k8s.io/apiserver/pkg/endpoints/handlers/delete.go), so a body
// `{}` turns `?dryRun=All` into a real deletion. Anything that cannot be read for
// certain counts as the real thing.

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether dryRun values make a request a dry run; the API server refuses every value but "All". */
export function isDryRun(values: readonly unknown[]): boolean {
  return values.length > 0 && values.every((value) => value === "All");
}

/** Whether DeleteOptions in a body say dry run: JSON, or protobuf in Kubernetes' envelope. False when they cannot be read. */
export function bodyAsksForDryRun(bytes: Uint8Array, contentType: string | undefined): boolean {
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

/** `k8s\0`, then runtime.Unknown with the message in field 2; dryRun is field 5 of DeleteOptions. */
function protobufAsksForDryRun(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x6b || bytes[1] !== 0x38 || bytes[2] !== 0x73 || bytes[3] !== 0) return false;
  const envelope = readFields(bytes.subarray(4));
  const raw = envelope?.filter((field) => field.number === 2) ?? [];
  const [message] = raw;
  // contentEncoding (field 3) would mean that the message is packed some other way.
  if (
    raw.length !== 1 ||
    message === undefined ||
    envelope?.some((f) => f.number === 3 && f.bytes.length > 0)
  )
    return false;
  const dryRun = readFields(message.bytes)?.filter((field) => field.number === 5);
  try {
    return dryRun !== undefined && isDryRun(dryRun.map((field) => utf8.decode(field.bytes)));
  } catch {
    return false;
  }
}

interface ProtobufField {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** The length-delimited fields of a message; undefined when it is not well formed. */
function readFields(bytes: Uint8Array): ProtobufField[] | undefined {
  const fields: ProtobufField[] = [];
  let at = 0;
  const varint = (): number | undefined => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) return undefined;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const key = varint();
    if (key === undefined) return undefined;
    const wireType = key % 8;
    let length = 0;
    if (wireType === 0) {
      if (varint() === undefined) return undefined;
    } else if (wireType === 1) length = 8;
    else if (wireType === 5) length = 4;
    else if (wireType === 2) {
      const stated = varint();
      if (stated === undefined) return undefined;
      length = stated;
    } else return undefined;
    if (at + length > bytes.length) return undefined;
    if (wireType === 2) fields.push({ number: Math.floor(key / 8), bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  return fields;
}
