// The stand-in cluster's private CA: certificates for the server and for users, made again for each
// cluster and held in memory. Nothing here is shared with the gateway's own authority.

import "../../../src/reflect.ts";
import type { Extension } from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;

/** A certificate and its private key in PEM. */
export interface Credential {
  readonly certPem: string;
  readonly keyPem: string;
}

/** Issues what one cluster needs. */
export interface ClusterAuthority {
  readonly caPem: string;
  /** For the API server: names may be DNS names or IP addresses. */
  serverCertificate(names: readonly string[]): Promise<Credential>;
  /** For a user: the common name is the user, each organization a group. */
  clientCertificate(user: string, groups: readonly string[]): Promise<Credential>;
}

/** Creates a CA with a fresh key. */
export async function createAuthority(name: string): Promise<ClusterAuthority> {
  // Loaded here and not at the top: among static imports the package can be evaluated before the shim above.
  const x509 = await import("@peculiar/x509");
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + 3650 * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });

  async function issue(subject: string, extensions: Extension[]): Promise<Credential> {
    const leaf = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject,
      issuer: ca.subject,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 365 * DAY_MS),
      signingAlgorithm: ALGORITHM,
      publicKey: leaf.publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        await x509.SubjectKeyIdentifierExtension.create(leaf.publicKey),
        ...extensions,
      ],
    });
    const pkcs8 = await crypto.subtle.exportKey("pkcs8", leaf.privateKey);
    return { certPem: certificate.toString("pem"), keyPem: x509.PemConverter.encode(pkcs8, "PRIVATE KEY") };
  }

  return {
    caPem: ca.toString("pem"),
    serverCertificate: (names) =>
      issue("CN=kube-apiserver", [
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isAddress(value) ? "ip" : "dns", value })),
        ),
      ]),
    clientCertificate: (user, groups) =>
      issue([...groups.map((group) => `O=${group}`), `CN=${user}`].join(", "), [
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      ]),
  };
}

function serial(): string {
  // The leading 01 keeps the number positive and free of a leading zero, as RFC 5280 4.1.2.2 wants.
  return `01${Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString("hex")}`;
}

function isAddress(name: string): boolean {
  return name.includes(":") || /^[\d.]+$/.test(name);
}
