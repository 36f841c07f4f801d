// The stand-in cluster's private CA: certificates for the server and for users, made again for each
// cluster and held in memory. Nothing here is shared with the gateway's own authority.

import { readAddress } from "../../../src/match/destination.ts";
import {
  type CertificateParts,
  ID,
  type MadeCertificate,
  makeKeys,
  makeRoot,
  makeServer,
  usages,
} from "../certificates/certificate-maker.ts";
import { der, oid, sequence, set, text } from "../certificates/der-writer.ts";

const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const COMMON_NAME = "2.5.4.3";
const ORGANIZATION = "2.5.4.10";

/** A certificate and its private key in PEM. */
export interface Credential {
  readonly certPem: string;
  readonly keyPem: string;
}

/** Issues what one cluster needs. */
export interface ClusterAuthority {
  readonly caPem: string;
  /** For the API server: names may be DNS names or IP addresses. */
  serverCertificate(names: readonly string[]): Credential;
  /** For a user: the common name is the user, each organization a group. */
  clientCertificate(user: string, groups: readonly string[]): Credential;
}

/** Creates a CA with a fresh key. */
export function createAuthority(name: string): ClusterAuthority {
  const root = makeRoot(name, { keys: makeKeys() });
  const issue = (names: readonly (string | Uint8Array)[], parts: CertificateParts): Credential =>
    credentialOf(makeServer(root, names, { ...parts, keys: makeKeys() }));
  return {
    caPem: root.pem,
    serverCertificate: (names) =>
      issue(names.map(octetsOfAddress), { subject: nameOf([[COMMON_NAME, "kube-apiserver"]]) }),
    clientCertificate: (user, groups) =>
      issue([], {
        subject: nameOf([...groups.map((group) => [ORGANIZATION, group] as const), [COMMON_NAME, user]]),
        extensions: [usages(CLIENT_AUTH)],
        withoutExtensions: [ID.san],
      }),
  };
}

function credentialOf({ pem, keyPem }: MadeCertificate): Credential {
  return { certPem: pem, keyPem };
}

function nameOf(parts: readonly (readonly [type: string, value: string])[]): Uint8Array {
  return sequence(...parts.map(([type, value]) => set(sequence(oid(type), der(0x0c, text(value))))));
}

/** An address as its bytes; a name as it is. */
function octetsOfAddress(name: string): string | Uint8Array {
  const address = readAddress(name);
  if (address === undefined) return name;
  const { family, parts } = address;
  return Uint8Array.from(family === 4 ? parts : parts.flatMap((group) => [group >> 8, group & 0xff]));
}
