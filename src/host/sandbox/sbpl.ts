// The language of macOS sandbox profiles (SBPL), as far as a profile needs it: rules of nested
// lists, written with every text quoted. Of several rules that match, the last one counts.

/** A word, a quoted text, a regular expression or a list of these. */
export type Sbpl = string | { readonly text: string } | { readonly regex: string } | readonly Sbpl[];

/** A text in quotes, such as a path. */
export function quoted(text: string): Sbpl {
  return { text };
}

/** A regular expression that a path must match. */
export function matching(regex: string): Sbpl {
  return { regex };
}

/** Characters of a path as they stand in a regular expression. */
export function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Writes a profile, a rule a line. Throws on a character that no profile could hold. */
export function renderSbpl(rules: readonly Sbpl[]): string {
  return `${rules.map(render).join("\n")}\n`;
}

function render(value: Sbpl): string {
  if (typeof value === "string") {
    if (/^[a-z0-9*.:_/-]+$/i.test(value)) return value;
    throw new Error(`'${value}' is no word of a sandbox profile`);
  }
  if ("text" in value) return `"${escaped(value.text)}"`;
  // Backslashes stay as they are: they belong to the expression.
  if ("regex" in value) return `#"${checked(value.regex).replaceAll('"', '\\"')}"`;
  return `(${value.map(render).join(" ")})`;
}

function escaped(text: string): string {
  return checked(text).replace(/["\\]/g, "\\$&");
}

function checked(text: string): string {
  // A line end or NUL in a path could end its string.
  if (/[\0-\x1f\x7f]/.test(text))
    throw new Error("a path with control characters cannot be in a sandbox profile");
  return text;
}
