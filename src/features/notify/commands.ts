// `iddio notify`: who is told of requests that wait, beside the desktop. The daemon keeps the
// targets and tells them; these commands only talk to it. Tokens and passwords come from standard
// input and never come out again.

import type { NotifyReport, NotifyStart } from "../../api/methods/notify.ts";
import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import { localTime } from "../../cli/kit/local-time.ts";
import { UserError } from "../../model/user-error.ts";
import { escapeForTerminal } from "../../text/escape.ts";

const NAME = { name: "name" } as const;

/** How many lines of secrets each kind takes, and their meaning; a webhook's secret is made by the daemon. */
const SECRETS: Readonly<Record<string, readonly [prompt: string, lines: number]>> = {
  slack: ["bot token (xoxb-…) and app token (xapp-…), a line each", 2],
  pagerduty: ["routing key", 1],
  smtp: ["password", 1],
  smtps: ["password", 1],
};

/** Adds a target. */
export const notifyAddCommand: Command = {
  name: "notify add",
  summary: "Tell Slack, a webhook, PagerDuty or people by e-mail of requests that wait",
  args: [NAME, { name: "target" }],
  flags: [
    {
      name: "approver",
      value: "team/user",
      isRepeatable: true,
      summary: "Slack: who may allow or deny, by ids: T0123456789/U0123456789",
    },
    { name: "replies", summary: "Webhook: take signed callbacks from the receiver" },
    {
      name: "from-tier",
      value: "tier",
      choices: ["observe", "modify", "sensitive", "break-glass"],
      summary: "Tell only of requests of this tier and above",
    },
    {
      name: "evidence",
      value: "amount",
      choices: ["summary", "full"],
      summary: "Send the request alone (default), or headers and body too, masked",
    },
    { name: "header", value: "name: value", isRepeatable: true, summary: "Field of every HTTP request" },
    {
      name: "ca",
      value: "file",
      completes: "file",
      summary: "PEM certificates to trust instead of the system's",
    },
    JSON_FLAG,
  ],
  details: [
    "Targets:",
    "  slack:C0123456789                      channel, by its id; tokens on standard input",
    "  https://host/path                      webhook, signed as Standard Webhooks",
    "  pagerduty:                             Events v2; routing key on standard input",
    "  smtps://user@host?from=…&to=…          e-mail; password on standard input",
    "  smtp://user@host:587?from=…&to=…       the same with STARTTLS",
    "An answer from Slack lets through one request, sensitive at most; a callback one",
    "request, modify at most. Everybody who may answer may deny everything.",
  ],
  examples: [
    "iddio notify add ops slack:C0123456789 --approver T012345/U012345 < tokens",
    "iddio notify add pager pagerduty: --from-tier break-glass < routing-key",
    "iddio notify add hook https://approvals.example.com/in --replies",
  ],
  async run({ args, flags, output, daemon }) {
    const [name = "", target = ""] = args;
    const ca = flags.text("ca");
    const headers = Object.fromEntries(flags.texts("header").map(headerOf));
    const secrets = await secretsFor(target);
    const added = await daemon.call("notify_add", {
      name,
      target,
      approvers: flags.texts("approver"),
      ...(secrets.length === 0 ? {} : { secrets }),
      ...(flags.has("replies") ? { replies: true } : {}),
      ...choice(flags.text("from-tier"), "from_tier"),
      ...choice(flags.text("evidence"), "evidence"),
      ...(Object.keys(headers).length === 0 ? {} : { headers }),
      ...(ca === undefined ? {} : { ca_pem: await Bun.file(ca).text() }),
    });
    if (flags.has("json")) return void output.json(added);
    output.line(`requests that wait are told to ${escapeForTerminal(added.target.target)}`);
    if (added.secret !== undefined)
      output.line(`signing secret, shown only now: ${escapeForTerminal(added.secret)}`);
    output.note(`try it: iddio notify test ${name}`);
  },
};

/** Prints the targets. */
export const notifyListCommand: Command = {
  name: "notify list",
  summary: "List who is told of requests that wait, and how that goes",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const { targets } = await daemon.call("notify_list", {});
    if (flags.has("json")) return void output.json(targets);
    if (targets.length === 0) return void output.note("nobody is told beside the desktop: iddio notify add");
    await output.loadPaints();
    output.table(["NAME", "TARGET", "FROM", "ANSWERS", "SENT", "WAITING", "STATE"], targets.map(cells));
  },
};

/** Sends a message that says it is a test. */
export const notifyTestCommand: Command = {
  name: "notify test",
  summary: "Send a test message to a target",
  args: [NAME],
  flags: [JSON_FLAG],
  async run({ args, flags, output, daemon }) {
    const [name = ""] = args;
    const { problem } = await daemon.call("notify_test", { name });
    if (flags.has("json")) output.json({ name, ...(problem === undefined ? {} : { problem }) });
    else if (problem === undefined) output.line(`${name} took a test message`);
    if (problem === undefined) return 0;
    if (flags.has("json")) return 1;
    throw new UserError(`the test message did not arrive: ${escapeForTerminal(problem)}`, {
      hint: "requests wait all the same: iddio approval list",
    });
  },
};

/** Gives a webhook a new secret. */
export const notifyRotateCommand: Command = {
  name: "notify rotate",
  summary: "Give a webhook a new signing secret",
  args: [NAME],
  flags: [JSON_FLAG],
  details: ["Messages are signed with both secrets, and callbacks may be, until the next rotation."],
  async run({ args, flags, output, daemon }) {
    const [name = ""] = args;
    const rotated = await daemon.call("notify_rotate", { name });
    if (flags.has("json")) return void output.json(rotated);
    output.line(`signing secret, shown only now: ${escapeForTerminal(rotated.secret)}`);
  },
};

/** Forgets a target. */
export const notifyRemoveCommand: Command = {
  name: "notify remove",
  summary: "Tell a target nothing more",
  args: [NAME],
  flags: [JSON_FLAG],
  async run({ args, flags, output, daemon }) {
    const { target } = await daemon.call("notify_remove", { name: args[0] ?? "" });
    if (flags.has("json")) return void output.json({ target });
    output.line(`requests that wait are no longer told to ${escapeForTerminal(target.target)}`);
  },
};

function cells(target: NotifyReport): string[] {
  const { failing_since_ms: since, problem, approvers, takes_replies } = target;
  const when = since === undefined ? "" : ` (since ${localTime(since)})`;
  const answers = approvers.length > 0 ? `${approvers.length} people` : takes_replies ? "callbacks" : "none";
  return [
    target.name,
    target.target,
    target.from_tier,
    answers,
    String(target.delivered),
    String(target.waiting),
    problem === undefined ? "ok" : `${problem}${when}`,
  ];
}

/** The lines that this kind of target needs; a mail server without a user needs none. */
async function secretsFor(target: string): Promise<readonly string[]> {
  const [, scheme = "", rest = ""] = /^([a-z]+):(.*)$/s.exec(target) ?? [];
  const wanted = Object.hasOwn(SECRETS, scheme) ? SECRETS[scheme] : undefined;
  if (wanted === undefined || (scheme.startsWith("smtp") && !/^\/\/[^/?]*@/.test(rest))) return [];
  const [prompt, lines] = wanted;
  const { secretsFromInput } = await import("../../cli/kit/terminal/secret-input.ts");
  return secretsFromInput(prompt, lines, "iddio notify add … < file-with-the-secrets");
}

function choice<K extends "from_tier" | "evidence">(
  value: string | undefined,
  name: K,
): Pick<NotifyStart, K> {
  return (value === undefined ? {} : { [name]: value }) as Pick<NotifyStart, K>;
}

function headerOf(text: string): readonly [string, string] {
  const match = /^([^:\s]+):\s*(.*)$/.exec(text);
  if (match?.[1] !== undefined) return [match[1], match[2] ?? ""];
  throw new UserError(`expected 'name: value', got '${text}'`, {
    exitCode: 2,
    hint: "quote the whole field",
  });
}
