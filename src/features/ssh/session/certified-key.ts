// A host key that is shown with its certificate (OpenSSH's PROTOCOL.certkeys), which ssh2 itself
// does not know: for ssh2 it is one more key, of the certificate's type, whose public half is the
// certificate.

import type { ParsedKey } from "ssh2";
import { CERTIFICATE_TYPE, KEY_TYPE } from "../host-key.ts";
import type { SessionStart } from "../link.ts";

/** The part of ssh2's protocol that holds a key exchange. */
export interface KexProtocol {
  readonly _kex?: { readonly negotiated: { serverHostKey: string } };
}

/** The key, as ssh2 takes one that is parsed already. Throws when the daemon gave no key. */
export function certifiedKey(
  { hostKey, hostCertificate }: SessionStart,
  parse: (text: string) => ParsedKey | Error | readonly ParsedKey[],
  protocol: () => KexProtocol | undefined,
): ParsedKey {
  const parsed = parse(hostKey);
  const plain = Array.isArray(parsed) ? (parsed[0] as ParsedKey) : (parsed as ParsedKey | Error);
  if (plain instanceof Error) throw plain;
  const certificate = Buffer.from(hostCertificate, "base64");
  return Object.create(plain, {
    type: { value: CERTIFICATE_TYPE },
    getPublicSSH: { value: () => certificate },
    sign: {
      value: (data: Buffer) => {
        // The signature is one of the plain key, and ssh2 names it by what was negotiated.
        const kex = protocol()?._kex;
        if (kex !== undefined) kex.negotiated.serverHostKey = KEY_TYPE;
        return plain.sign(data);
      },
    },
  }) as ParsedKey;
}
