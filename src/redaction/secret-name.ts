// Which names say that their value is a secret: of header fields, query parameters, members of a
// body, form fields, environment variables. A name is read as words, split at case, separators and
// brackets, so that `WebIdentityToken`, `user[password]` and `client-secret` need no entry of their
// own. A name that this file calls secret is hidden everywhere: audit, log, events, approvals and
// refusals.

/** Words that make a name secret wherever they stand in it. */
const SECRET_WORDS = new Set(
  (
    "token tokens secret secrets password passwords passwd passwds pwd passphrase passphrases passcode " +
    "credential credentials creds cred assertion assertions jwt jws bearer authorization authentication " +
    "signature sig cookie cookies otp totp htpasswd dockerconfigjson dockercfg kubeconfig"
  ).split(" "),
);
/** Words that make a name secret as its last one. */
const SECRET_LAST = new Set("pass auth pin sas pem nonce seed mnemonic salt verifier".split(" "));
/** `apikey`, `accesstoken`, `dbpassword`: written as one word. */
const SECRET_END =
  /(?:tokens?|secrets?|passwords?|userpass|passwd|passphrase|(?:api|access|private|secret|auth|account|shared|signing|encryption|subscription|function|functions|host|master|session|ssh|deploy|license)keys?|keypair|credentials?)$/;
/** Before `key`: these keys open something. Others (`object key`, `partition key`) name something. */
const KEY_OWNERS = new Set(
  (
    "api app application access private priv secret auth account shared signing sign encryption encrypt decryption master session ssh " +
    "deploy license customer functions function subscription host storage hmac aes rsa tls ssl webhook admin client service " +
    "web user consumer integration pre psk preshared wireguard write read primary secondary root bot stream data"
  ).split(" "),
);
/** As the last word they tell that the value describes a secret and is none: `SecretId`, `token_type`, `PasswordResetRequired`. */
const DESCRIBES = new Set(
  (
    "id ids name names arn arns ref refs reference version versions type types expiry expires expiration exp ttl duration lifetime " +
    "required enabled disabled enable disable count limit max min length size algorithm alg md5 sha256 fingerprint thumbprint " +
    "policy policies url uri endpoint issuer audience scope scopes status state format method methods rotation at time date days " +
    "hours minutes seconds seconds hint description label labels path file kind provider usage store resource region email username"
  ).split(" "),
);
/** Before `token`: where a list goes on, not a secret. */
const PAGE_WORDS = new Set(
  "next page continuation continue resume sync pagination starting previous prev".split(" "),
);
/** A number of tokens, as language models count them. */
const COUNT_WORDS = new Set(
  "max min num total count prompt completion input output used remaining".split(" "),
);

/** The words of a name in lower case: `SAMLAssertion` is saml, assertion; `user[pass_word]` is user, pass, word. */
export function wordsOf(name: string): readonly string[] {
  const spaced = name
    .slice(0, MAX_NAME)
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1 $2");
  return spaced.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

/** Longer names are judged by their end: the last word decides most. */
const MAX_NAME = 256;

/** Whether a value under this name is a secret. */
export function isSecretName(name: string): boolean {
  const known = decided.get(name);
  if (known !== undefined) return known;
  const answer = judge(wordsOf(name.length > MAX_NAME ? name.slice(-MAX_NAME) : name));
  if (decided.size >= DECIDED_MAX) decided.clear();
  if (name.length <= MAX_NAME) decided.set(name, answer);
  return answer;
}

const DECIDED_MAX = 2_000;
const decided = new Map<string, boolean>();

function judge(words: readonly string[]): boolean {
  let end = words.length;
  // `token2`, `user[tokens][0]`: a number at the end only tells which one.
  while (end > 1 && /^\d+$/.test(words[end - 1] as string)) end--;
  // Some forms repeat the place of a value: `password[value]`, `Parameters.member.1.Password.Value`.
  if (
    end > 1 &&
    /^(?:value|text|string|data|raw|plain|plaintext|b64|base64|encoded)$/.test(words[end - 1] as string)
  )
    end--;
  const last = words[end - 1]?.replace(/\d+$/, "");
  if (last === undefined || last === "" || DESCRIBES.has(last)) return false;
  const before = words[end - 2] ?? "";
  if (
    /^tokens?$/.test(last) &&
    (PAGE_WORDS.has(before) || (last === "tokens" && COUNT_WORDS.has(words[0] ?? "")))
  )
    return false;
  if (SECRET_LAST.has(last)) return true;
  if (/^keys?$/.test(last)) {
    if (KEY_OWNERS.has(before) || SECRET_WORDS.has(before) || SECRET_END.test(before)) return true;
  }
  for (let at = 0; at < end; at++) {
    const word = (words[at] as string).replace(/\d+$/, "");
    if (SECRET_WORDS.has(word) || SECRET_END.test(word)) return true;
    if (word === "key" && KEY_OWNERS.has(words[at - 1] ?? "") && words[at + 1] === "data") return true;
    // `pass_word`, `api_token`s are covered above; these are two words for one.
    if (word === "pass" && /^(?:word|phrase|code)s?$/.test(words[at + 1] ?? "")) return true;
  }
  return false;
}

/** Query parameters that are secrets by convention, though their names are too short to say so. */
export function isSecretParameter(name: string): boolean {
  return SHORT_PARAMETERS.has(name.toLowerCase()) || isSecretName(name);
}

const SHORT_PARAMETERS = new Set([
  "key",
  "code",
  "sig",
  "auth",
  "pw",
  "hash",
  "se_sig",
  "hmac",
  "sessid",
  "sessionid",
  "phpsessid",
  "jsessionid",
  "awsaccesskeyid",
  "x-amz-credential",
]);

/** Header fields whose last word is `key` and that name something. */
const PLAIN_KEYS = new Set(
  "idempotency-key sec-websocket-key surrogate-key x-surrogate-key partition-key x-partition-key x-cache-key x-idempotency-key".split(
    " ",
  ),
);
/** Credentials whose names say nothing. */
const NAMELESS = new Set(["dpop", "x-amz-credential", "x-csrf", "x-xsrf"]);

/** Whether a header field is, or carries, a credential. The one predicate for view, grant, fingerprint and log. */
export function isCredentialField(name: string): boolean {
  const lower = name.toLowerCase();
  if (NAMELESS.has(lower)) return true;
  // Challenges of a protected resource and lists of signed fields are no credentials.
  if (PLAIN_KEYS.has(lower) || lower === "signature-input" || lower.startsWith("access-control-"))
    return false;
  return lower.endsWith("-key") || isSecretName(lower);
}
