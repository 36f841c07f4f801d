// Reads a request's body as far as its endpoint allows, and as JSON. More is refused before it is
// kept.

import { type Strictness, valueProblem } from "../../api/check-value.ts";
import type { AnySchema, Schema } from "../../api/schema.ts";
import { Problem } from "./problem.ts";

/** A body of this size is read before it is known who sends it. */
const SMALL_BYTES = 64 * 1024;

/** Whether a request may carry more than strangers may send: its sender is looked up before it is read. */
export function isLargeBody(request: Request): boolean {
  const length = request.headers.get("content-length");
  return request.body !== null && (length === null || Number(length) > SMALL_BYTES);
}

/** The octets, at most `maxBytes`. */
export async function readOctets(request: Request, maxBytes: number): Promise<Uint8Array> {
  const length = Number(request.headers.get("content-length") ?? 0);
  if (length > maxBytes) throw tooLarge(maxBytes);
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/** The value in a text of JSON, when it has the shape. */
export function readJson<T>(schema: Schema<T>, octets: Uint8Array, how: Strictness): T {
  let value: unknown;
  try {
    value = octets.length === 0 ? {} : JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(octets));
  } catch {
    throw new Problem(400, "bad-input", "the body is not JSON");
  }
  const problem = valueProblem(schema as AnySchema, value, how);
  if (problem !== undefined) throw new Problem(400, "bad-input", problem);
  return value as T;
}

function tooLarge(maxBytes: number): Problem {
  return new Problem(413, "bad-input", `the body is larger than ${maxBytes} bytes`);
}
