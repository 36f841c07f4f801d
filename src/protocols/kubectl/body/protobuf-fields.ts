// Takes a protobuf message apart into its fields, bounded by its bytes. Knows no schema. Groups,
// which nothing has written for twenty years, and everything malformed make the whole message
// unreadable.

/** One field as it stands: a number for varints, the bytes of anything with a length; fixed widths are left out. */
export interface ProtobufField {
  readonly number: number;
  /** Beyond 2^53 only whether it is zero is certain. */
  readonly varint: number | undefined;
  readonly bytes: Uint8Array | undefined;
}

/** How many fields may still be read, over all messages of one body. */
export interface FieldBudget {
  left: number;
}

/** The fields of a message in order; undefined when it is not well formed, or beyond the budget. */
export function readProtobufFields(
  bytes: Uint8Array,
  budget: FieldBudget = { left: 1000 },
): readonly ProtobufField[] | undefined {
  const fields: ProtobufField[] = [];
  let at = 0;
  const readVarint = (): number | undefined => {
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
    if (budget.left-- <= 0) return undefined;
    const key = readVarint();
    if (key === undefined || key >= 2 ** 32) return undefined;
    const number = Math.floor(key / 8);
    const wireType = key % 8;
    if (number === 0) return undefined;
    if (wireType === 0) {
      const varint = readVarint();
      if (varint === undefined) return undefined;
      fields.push({ number, varint, bytes: undefined });
      continue;
    }
    const length = wireType === 1 ? 8 : wireType === 5 ? 4 : wireType === 2 ? readVarint() : undefined;
    if (length === undefined || at + length > bytes.length) return undefined;
    fields.push({
      number,
      varint: undefined,
      bytes: wireType === 2 ? bytes.subarray(at, at + length) : undefined,
    });
    at += length;
  }
  return fields;
}

/** The message inside Kubernetes' envelope: `k8s\0`, then runtime.Unknown with the message in field 2. */
export function messageInEnvelope(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes[0] !== 0x6b || bytes[1] !== 0x38 || bytes[2] !== 0x73 || bytes[3] !== 0) return undefined;
  const envelope = readProtobufFields(bytes.subarray(4));
  const raw = envelope?.filter((field) => field.number === 2) ?? [];
  // contentEncoding (field 3) would mean that the message is packed some other way.
  const isPacked = envelope?.some((field) => field.number === 3 && field.bytes?.length !== 0);
  return raw.length === 1 && !isPacked ? raw[0]?.bytes : undefined;
}
