// Hides secrets in what is shown and recorded. Only values are hidden, never names or
// paths: who reads an approval or an audit row must see the whole request otherwise.

/** Query parameters whose values are credentials, matched on the decoded lower-case name. */
const SECRET =
  /^(.*[-_.])?(access_?token|id_?token|refresh_?token|token|secret|password|passwd|pwd|api_?key|key|signature|sig|code|assertion|client_secret|credential|jwt|auth|authorization|x-amz-security-token|x-goog-signature)$/;

/** The target with the values of credential-like query parameters replaced by `***`; everything else as sent. */
export function maskTarget(target: string): string {
  const question = target.indexOf("?");
  if (question < 0) return target;
  const parts = target.slice(question + 1).split("&");
  const masked = parts.map((part) => {
    const equals = part.indexOf("=");
    if (equals < 0) return part;
    return SECRET.test(decodedName(part.slice(0, equals))) ? `${part.slice(0, equals)}=***` : part;
  });
  return `${target.slice(0, question)}?${masked.join("&")}`;
}

function decodedName(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll("+", " ")).toLowerCase();
  } catch {
    return name.toLowerCase();
  }
}
