// The exceptions to forwarding a request octet for octet, made by stages and carried out by the
// engines: another body, other fields, and an eye on the answer. Where there is none, the client's
// own octets go on.

import type { Header } from "../../model/request.ts";
import type { BodyReader, UpstreamAnswer } from "./upstream-answer.ts";

/** Replacements for parts of a request on its way to the upstream. */
export interface Alteration {
  /** JSON in place of the body, which was read whole. */
  readonly body?: Uint8Array | undefined;
  /** The fields that go out, of those that would; Host stays where it is. */
  readonly fields?: ((headers: readonly Header[]) => readonly Header[]) | undefined;
  /** The target that goes out; asked after `fields`, with the fields as they were before. */
  readonly target?: ((headers: readonly Header[]) => string) | undefined;
  /** The body that goes out, of the same length; asked after `fields`. */
  readonly through?: ((body: BodyReader) => BodyReader) | undefined;
  /** Who must have issued the server's certificate; to one of another issuer nothing goes out. */
  readonly issuer?: string | undefined;
  /** The answer as the client may see it. Throws UpstreamError for one that it may not see at all. */
  readonly answer?: ((answer: UpstreamAnswer) => UpstreamAnswer) | undefined;
}

/** Both, as far as there are any; the answer passes through both. */
export function altered(one: Alteration | undefined, other: Alteration | undefined): Alteration | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const [first, second] = [one.answer, other.answer];
  const [fields, more] = [one.fields, other.fields];
  return {
    ...one,
    ...other,
    ...(fields && more ? { fields: (headers) => more(fields(headers)) } : {}),
    ...(first && second ? { answer: (answer) => second(first(answer)) } : {}),
  };
}
