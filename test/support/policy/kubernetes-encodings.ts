// Manifests in the encodings that an API server takes beside JSON: CBOR, and Kubernetes' protobuf
// from numbered fields, after RFC 8949 and the encoding page of protobuf. Only what the tests need
// of either.

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** One protobuf field: a number or truth as varint, text or bytes or more fields with their length. */
export type Field = readonly [
  number: number,
  value: boolean | number | string | Uint8Array | readonly Field[],
];

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

/** A protobuf message. */
export function protobuf(...fields: readonly Field[]): Uint8Array {
  const parts: (Uint8Array | number[])[] = [];
  for (const [number, value] of fields) {
    if (typeof value === "boolean" || typeof value === "number") {
      parts.push([...varint(number * 8), ...varint(Number(value))]);
      continue;
    }
    const content =
      typeof value === "string"
        ? new TextEncoder().encode(value)
        : value instanceof Uint8Array
          ? value
          : protobuf(...value);
    parts.push([...varint(number * 8 + 2), ...varint(content.length)], content);
  }
  return Buffer.concat(parts.map((part) => Uint8Array.from(part)));
}

/** A message in Kubernetes' envelope. */
export function kubernetesProtobuf(
  apiVersion: string,
  kind: string,
  ...fields: readonly Field[]
): Uint8Array {
  const envelope = protobuf(
    [
      1,
      [
        [1, apiVersion],
        [2, kind],
      ],
    ],
    [2, protobuf(...fields)],
    [3, ""],
    [4, ""],
  );
  return Buffer.concat([Uint8Array.of(0x6b, 0x38, 0x73, 0), envelope]);
}

/** CBOR of a JSON value, with the tag that says so; `asBytes` writes texts as byte strings, as the API server does. */
export function cbor(value: Json, asBytes = false): Uint8Array {
  return new Uint8Array([0xd9, 0xd9, 0xf7, ...cborItem(value, asBytes ? 2 : 3)]);
}

function cborItem(value: Json, text: 2 | 3): number[] {
  if (value === null) return [0xf6];
  if (typeof value === "boolean") return [value ? 0xf5 : 0xf4];
  if (typeof value === "number") return head(0, value);
  if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    return [...head(text, bytes.length), ...bytes];
  }
  if (Array.isArray(value))
    return [...head(4, value.length), ...value.flatMap((item: Json) => cborItem(item, text))];
  const entries = Object.entries(value);
  return [
    ...head(5, entries.length),
    ...entries.flatMap(([name, item]) => [...cborItem(name, text), ...cborItem(item, text)]),
  ];
}

function head(major: number, argument: number): number[] {
  if (argument < 24) return [major * 32 + argument];
  if (argument < 256) return [major * 32 + 24, argument];
  return [major * 32 + 25, argument >> 8, argument & 255];
}
