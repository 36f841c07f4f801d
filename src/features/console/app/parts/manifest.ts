// A JSON body as the YAML that people read manifests in. Only a view: the body is allowed as it
// came. Strings that could be taken for something else are quoted.

const PLAIN = /^[A-Za-z_/.][\w./:@+-]*(?: [\w./:@+-]+)*$/;
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n|~|\.|\.\.)$/i;
const MAX_DEPTH = 60;

/** The body as YAML; undefined when it is no JSON object or list. */
export function manifestOf(body: string): string | undefined {
  if (!/^\s*[{[]/.test(body)) return undefined;
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? block(value, 0).join("\n") : undefined;
  } catch {
    return undefined;
  }
}

function block(value: object, depth: number): string[] {
  if (depth > MAX_DEPTH) return [JSON.stringify(value)];
  if (Array.isArray(value))
    return value.flatMap((each: unknown) => {
      const lines = linesOf(each, depth + 1);
      return lines.map((line, index) => (index === 0 ? `- ${line}` : `  ${line}`));
    });
  return Object.entries(value).flatMap(([name, each]) => {
    const key = scalar(name);
    if (!isBlock(each)) return textLines(key, each);
    const lines = block(each, depth + 1);
    const indent = Array.isArray(each) ? "" : "  ";
    return [`${key}:`, ...lines.map((line) => indent + line)];
  });
}

/** A text of several lines is shown as such. */
function textLines(key: string, value: unknown): string[] {
  if (typeof value !== "string" || !value.includes("\n") || value.includes("\r"))
    return [`${key}: ${scalar(value)}`];
  return [
    `${key}: |`,
    ...value
      .replace(/\n$/, "")
      .split("\n")
      .map((line) => `  ${line}`),
  ];
}

function linesOf(value: unknown, depth: number): string[] {
  return isBlock(value) ? block(value, depth) : [scalar(value)];
}

function isBlock(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function scalar(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "[]" : "{}";
  if (typeof value !== "string") return String(value);
  return PLAIN.test(value) && !RESERVED.test(value) ? value : JSON.stringify(value);
}
