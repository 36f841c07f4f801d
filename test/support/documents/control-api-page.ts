// docs/control-api.md, written from the table of methods: what a program that speaks to the daemon
// needs to know, and nothing that the table does not say. `bun test/support/update-readme.ts`
// writes it; a test compares.

import { type AnyMethod, COMMON_ERRORS } from "../../../src/api/method.ts";
import { type ControlMethod, entryOf, METHODS } from "../../../src/api/methods.ts";
import type { AnySchema, Fields } from "../../../src/api/schema.ts";

const INTRODUCTION = `# The control API

The daemon answers HTTP/1.1 on a unix socket, \`~/.iddio/iddio.sock\` unless told otherwise, one request a connection.
Input and output are JSON; a stream is one JSON object a line. Every command of \`iddio\` uses it:

\`\`\`
$ curl -s --unix-socket ~/.iddio/iddio.sock http://iddio/v1/mode
{"proxy_mode":"enforce"}
\`\`\`

This page is written from the table in \`src/api/methods.ts\`, which also makes the server, the client and the checks at
both ends.

## Rules

- **Effect.** A method reads, changes or decides. A change counts as widening unless its entry proves that it narrows.
  Decisions and widening changes need a person; what narrows never does. The order of the checks is: who calls, the
  effect, a person's presence, the method.
- **Old and new programs.** A path never changes its meaning; methods, fields and words are only added. The daemon refuses
  a field that it does not know, so that no flag is ever ignored. A client ignores fields that it does not know.
- **Refusals** are \`{"error", "hint", "exit_code", "code"}\` with status 400, 403, 404, 405, 409, 413, 431 or 507 (the
  disk is full); 500 is a fault of the daemon. \`code\` is one of those listed with the method, or one of these:
`;

/** The whole page. */
export function renderControlApi(): string {
  const common = Object.entries(COMMON_ERRORS).map(([code, about]) => `  - \`${code}\`: ${about}`);
  const names = Object.keys(METHODS) as ControlMethod[];
  return `${INTRODUCTION}${common.join("\n")}

## Methods

| method | effect | needs a person |
| --- | --- | --- |
${names.map((name) => `| [\`${name}\`](#${name}) | ${entryOf(name).effect} | ${presenceOf(entryOf(name))} |`).join("\n")}

${names.map((name) => section(name, entryOf(name))).join("\n")}`;
}

function presenceOf({ effect, narrows }: AnyMethod): string {
  if (effect === "read") return "no";
  if (narrows === undefined) return "yes";
  return narrows.proof === undefined ? "no" : "unless it narrows";
}

function section(name: string, entry: AnyMethod): string {
  const { effect, verb, path, about, input, output, isStream, narrows, errors } = entry;
  const lines = [`### ${name}`, "", `\`${verb} ${path}\` · ${effect} · ${about}`, ""];
  if (narrows !== undefined)
    lines.push(`Narrows${narrows.proof === undefined ? "" : " sometimes"}: ${narrows.because}.`, "");
  lines.push(...tableOf("input", input), ...tableOf(isStream ? "each row" : "output", output));
  for (const [code, clause] of Object.entries(errors)) lines.push(`- \`${code}\`: ${clause}`);
  if (Object.keys(errors).length > 0) lines.push("");
  return lines.join("\n");
}

function tableOf(title: string, schema: AnySchema): string[] {
  if (schema.shape.kind === "either")
    return schema.shape.of.flatMap((each, index) => tableOf(index === 0 ? title : `or ${title}`, each));
  const rows = schema.shape.kind === "object" ? fieldRows(schema.shape.fields, "") : [];
  if (rows.length === 0) return [];
  return [`| ${title} | type | |`, "| --- | --- | --- |", ...rows, ""];
}

function fieldRows(fields: Fields, above: string): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = above === "" ? name : `${above}.${name}`;
    const type = `${typeOf(field)}${field.isOptional ? ", optional" : ""}`;
    return [`| \`${path}\` | ${type} | ${field.about ?? ""} |`, ...innerRows(field, path)];
  });
}

function innerRows({ shape }: AnySchema, path: string): string[] {
  if (shape.kind === "object") return fieldRows(shape.fields, path);
  if (shape.kind === "list" && shape.of.shape.kind === "object")
    return fieldRows(shape.of.shape.fields, `${path}[]`);
  return [];
}

function typeOf({ shape }: AnySchema): string {
  switch (shape.kind) {
    case "words":
      return shape.words.map((word) => `\`${word}\``).join(" ");
    case "list":
      return `list of ${typeOf(shape.of)}`;
    case "map":
      return `map of ${typeOf(shape.of)}`;
    case "pair":
      return `pair of ${typeOf(shape.of[0])} and ${typeOf(shape.of[1])}`;
    case "either":
      return shape.of.map(typeOf).join(" or ");
    default:
      return shape.kind;
  }
}
