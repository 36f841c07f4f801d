// JSON Web Tokens by which a key proves itself to whoever mints tokens (RFC 7519, RS256). Owns
// their form alone: what one claims and how long it is good for is its issuer's.

import { type KeyObject, sign } from "node:crypto";

/** A token over these claims; `header` is added to the algorithm. Throws when the key cannot sign. */
export function signedJwt(claims: object, key: KeyObject, header: object = {}): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "RS256", typ: "JWT", ...header })}.${part(claims)}`;
  return `${text}.${sign("sha256", Buffer.from(text), key).toString("base64url")}`;
}
