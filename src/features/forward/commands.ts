// `iddio forward`: audit rows to collectors, object stores, webhooks and files, as they are
// written. The daemon keeps the receivers and how far each has got; these commands only talk to it.

import type { ForwardReport } from "../../api/methods/forward.ts";
import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import { localTime } from "../../cli/kit/local-time.ts";
import { UserError } from "../../model/user-error.ts";
import { escapeForTerminal } from "../../text/escape.ts";

const NAME = { name: "name" } as const;

/** Adds a receiver. */
export const forwardAddCommand: Command = {
  name: "forward add",
  summary: "Forward audit rows to a collector, a store, a webhook or a file",
  args: [NAME, { name: "target" }],
  flags: [
    {
      name: "format",
      value: "name",
      choices: ["rows", "ocsf"],
      summary: "Write rows as in audit.jsonl (default) or as OCSF events",
    },
    {
      name: "from",
      value: "place",
      choices: ["now", "start"],
      summary: "Begin with the next row (default) or the first of audit.jsonl",
    },
    {
      name: "header",
      value: "name: value",
      isRepeatable: true,
      summary: "Field of every HTTP request, such as Authorization",
    },
    {
      name: "ca",
      value: "file",
      completes: "file",
      summary: "PEM certificates to trust instead of the system's",
    },
    {
      name: "access-key-id",
      value: "id",
      summary: "Access key of an object store; its secret is read from standard input",
    },
    JSON_FLAG,
  ],
  details: [
    "Targets:",
    "  syslog+tls://host:6514                 syslog (RFC 5424) over TLS",
    "  otlp+https://host:4318/v1/logs         OpenTelemetry logs",
    "  https://host/path                      webhook, signed as Standard Webhooks",
    "  s3://bucket/prefix?region=eu-west-1    object store; endpoint=https://… for others than AWS",
    "  file:/var/log/iddio.jsonl              file on this machine",
    "Every row arrives at least once, in order. While a receiver is down its rows wait",
    "in audit.jsonl. Rows that it refuses are kept in ~/.iddio/forward.",
  ],
  examples: [
    "iddio forward add siem syslog+tls://logs.example.com:6514",
    "iddio forward add otel otlp+https://otel.example.com --format ocsf",
    "iddio forward add archive s3://audit/iddio --access-key-id AKIA… < secret",
  ],
  async run({ args, flags, output, daemon }) {
    const [name = "", target = ""] = args;
    const ca = flags.text("ca");
    const accessKeyId = flags.text("access-key-id");
    const format = flags.text("format");
    const from = flags.text("from");
    const headers = Object.fromEntries(flags.texts("header").map(headerOf));
    const added = await daemon.call("forward_add", {
      name,
      target,
      ...(format === undefined ? {} : { format }),
      ...(from === "start" || from === "now" ? { from } : {}),
      ...(Object.keys(headers).length === 0 ? {} : { headers }),
      ...(ca === undefined ? {} : { ca_pem: await Bun.file(ca).text() }),
      ...(accessKeyId === undefined
        ? {}
        : { access_key_id: accessKeyId, secret_access_key: await secretKey() }),
    });
    if (flags.has("json")) return void output.json(added);
    output.line(`audit rows are forwarded to ${escapeForTerminal(added.sink.target)}`);
    if (added.secret !== undefined)
      output.line(`signing secret, shown only now: ${escapeForTerminal(added.secret)}`);
    output.note(`try it: iddio forward test ${name}`);
  },
};

/** Prints the receivers. */
export const forwardListCommand: Command = {
  name: "forward list",
  summary: "List where audit rows are forwarded to, and how far they got",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const { sinks } = await daemon.call("forward_list", {});
    if (flags.has("json")) return void output.json(sinks);
    if (sinks.length === 0) return void output.note("audit rows are forwarded nowhere: iddio forward add");
    await output.loadPaints();
    output.table(["NAME", "TARGET", "FORMAT", "DELIVERED", "REFUSED", "BEHIND", "STATE"], sinks.map(cells));
  },
};

/** Sends a row that says it is a test. */
export const forwardTestCommand: Command = {
  name: "forward test",
  summary: "Send a test row to a receiver",
  args: [NAME],
  flags: [JSON_FLAG],
  async run({ args, flags, output, daemon }) {
    const [name = ""] = args;
    const { problem } = await daemon.call("forward_test", { name });
    if (flags.has("json")) output.json({ name, ...(problem === undefined ? {} : { problem }) });
    else if (problem === undefined) output.line(`${name} took a test row`);
    if (problem === undefined) return 0;
    if (flags.has("json")) return 1;
    throw new UserError(`the test row did not arrive: ${escapeForTerminal(problem)}`, {
      hint: "nothing is lost: rows wait in audit.jsonl until the receiver takes them",
    });
  },
};

/** Gives a webhook a new secret. */
export const forwardRotateCommand: Command = {
  name: "forward rotate",
  summary: "Give a webhook a new signing secret",
  args: [NAME],
  flags: [JSON_FLAG],
  details: ["Requests are signed with both secrets until the next rotation."],
  async run({ args, flags, output, daemon }) {
    const [name = ""] = args;
    const rotated = await daemon.call("forward_rotate", { name });
    if (flags.has("json")) return void output.json(rotated);
    output.line(`signing secret, shown only now: ${escapeForTerminal(rotated.secret)}`);
  },
};

/** Ends forwarding. */
export const forwardRemoveCommand: Command = {
  name: "forward remove",
  summary: "Stop forwarding audit rows to a receiver",
  args: [NAME],
  flags: [JSON_FLAG],
  async run({ args, flags, output, daemon }) {
    const { sink } = await daemon.call("forward_remove", { name: args[0] ?? "" });
    if (flags.has("json")) return void output.json({ sink });
    const left = sink.behind_bytes > 0 ? `; ${sink.behind_bytes} bytes of rows did not get there` : "";
    output.line(`audit rows are no longer forwarded to ${escapeForTerminal(sink.target)}${left}`);
  },
};

function cells(sink: ForwardReport): string[] {
  const since = sink.failing_since_ms === undefined ? "" : ` (since ${localTime(sink.failing_since_ms)})`;
  return [
    sink.name,
    sink.target,
    sink.format,
    String(sink.delivered_rows),
    String(sink.refused_rows),
    `${sink.behind_bytes} B`,
    sink.problem === undefined ? "ok" : `${sink.problem}${since}`,
  ];
}

function headerOf(text: string): readonly [string, string] {
  const match = /^([^:\s]+):\s*(.*)$/.exec(text);
  if (match?.[1] !== undefined) return [match[1], match[2] ?? ""];
  throw new UserError(`expected 'name: value', got '${text}'`, {
    exitCode: 2,
    hint: "quote the whole field",
  });
}

async function secretKey(): Promise<string> {
  const { secretsFromInput } = await import("../../cli/kit/terminal/secret-input.ts");
  const hint = "iddio forward add … --access-key-id ID < file-with-the-secret";
  return (await secretsFromInput("secret access key", 1, hint))[0] ?? "";
}
