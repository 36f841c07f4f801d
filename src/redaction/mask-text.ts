// Text without a known form: a script, a value in a document, a log line. By shape, and where a
// secret name is followed by `=` or `:` and one plain word. Only a plain word is hidden: text that
// a shell would run stays in sight, so that nobody can hide a command behind the name of a
// password.

import { isSecretName } from "./secret-name.ts";
import { MASK, maskValues } from "./secret-value.ts";

const NAMED =
  /\b([A-Za-z_][\w.-]{1,80})(["']?\s{0,2}(?:=|:(?!\/\/))\s{0,2}["']?)([A-Za-z0-9_.+/=~@!%^*-]{1,4096})/g;
const FLAG = /(?<![\w-])(--?[A-Za-z][\w-]{2,60})([ =]["']?)([A-Za-z0-9_.+/=~@!%^*-]{1,4096})/g;

/** The text with secrets replaced, by shape and by the name before them. */
export function maskFreeText(text: string): string {
  const shaped = maskValues(text);
  if (!HINT.test(shaped)) return shaped;
  const named = shaped.replace(NAMED, (whole, name: string, between: string, value: string) =>
    isSecretName(name) && !STANDS_FOR.test(value) ? `${name}${between}${MASK}` : whole,
  );
  return named.replace(FLAG, (whole, name: string, between: string, value: string) =>
    isSecretName(name) && !STANDS_FOR.test(value) ? `${name}${between}${MASK}` : whole,
  );
}

/** Words that are no secrets. */
const STANDS_FOR = /^(?:true|false|null|none|yes|no|\*+)$/i;
/** Some name that could be secret. */
const HINT =
  /tok|sec|pas|pwd|cred|key|auth|sig|jwt|cook|otp|assert|bearer|pin|pem|nonce|seed|salt|mnemonic|verif|sas/i;
