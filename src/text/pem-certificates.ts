// The certificates of a PEM text. Files and programs wrap lines as they like and put remarks
// between the blocks, so each block is spelled again in one way: equal certificates are then equal
// texts.

/** The certificate blocks of a text, one string each: comments, odd line lengths and CRs are left out. */
export function pemCertificates(text: string): readonly string[] {
  const blocks = text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g);
  return [...blocks].map(([, body = ""]) => {
    const lines = body.replace(/\s+/g, "").match(/.{1,64}/g) ?? [];
    return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----`;
  });
}
