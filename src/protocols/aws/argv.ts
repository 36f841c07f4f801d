// Command lines of the AWS CLI: global flags anywhere before the operation, then service and
// operation; `s3` and the CLI's other own commands are aws-argv-s3's and aws-argv-custom's. A flag
// that is no global one before the operation makes the command unknown, because the next word may
// or may not belong to it.

import type { Classification } from "../../model/classification.ts";
import { unknownClassification } from "../unknown.ts";
import { customCommand } from "./argv-custom.ts";
import { judgeAwsWords } from "./body.ts";
import { awsCatalogue } from "./catalogue.ts";
import { describeOperations } from "./description.ts";
import { s3Command, setsAccess } from "./s3/argv.ts";

const GLOBAL_VALUES: readonly string[] = [
  "endpoint-url",
  "output",
  "query",
  "profile",
  "region",
  "color",
  "ca-bundle",
  "cli-read-timeout",
  "cli-connect-timeout",
  "cli-binary-format",
  "cli-error-format",
];
const GLOBAL_SWITCHES: readonly string[] = [
  "debug",
  "no-debug",
  "no-verify-ssl",
  "verify-ssl",
  "no-paginate",
  "paginate",
  "no-sign-request",
  "sign-request",
  "no-cli-pager",
  "cli-auto-prompt",
  "no-cli-auto-prompt",
  "v2-debug",
];

/** The parts of a command line. */
interface AwsCommandLine {
  /** Service and operation, as far as they are there. */
  readonly words: readonly string[];
  /** The words after the operation, global flags included. */
  readonly rest: readonly string[];
  readonly region: string | undefined;
  readonly isVersion: boolean;
  /** The flag that cannot be read, or undefined. */
  readonly strange: string | undefined;
}

/** Classifies `aws …`; argv[0] is the program. Never throws. */
export function classifyAwsArgv(argv: readonly string[]): Classification {
  const line = readCommandLine(argv.slice(1));
  const labels: Record<string, string> = line.region === undefined ? {} : { region: line.region };
  const [service, operation] = line.words;
  if (line.isVersion) return harmless("--version", "prints the version", labels);
  if (line.strange !== undefined)
    return unknownClassification(
      "aws",
      `the flag '${line.strange}' before the operation is not a global one`,
      { labels },
    );
  if (service === undefined) return unknownClassification("aws", "no service is named", { labels });
  const command = line.words.join(" ");
  if (service === "help" || operation === "help" || (line.rest.length === 1 && line.rest[0] === "help"))
    return harmless(command, "prints help", labels);
  const custom =
    service === "s3" ? s3Command(operation, line.rest) : customCommand(service, operation, line.rest);
  if (custom !== undefined) {
    const { tier, reason, aliases } = custom;
    const more = custom.bucket === undefined ? {} : { bucket: custom.bucket };
    return {
      protocol: "aws",
      tier,
      command: custom.command,
      aliases,
      labels: { ...labels, service: custom.service, ...more },
      reason,
    };
  }
  return classifyOperation(service, operation, line.rest, labels);
}

/** Services and operations that the CLI still takes under a former name. */
const FORMER_SERVICES: Readonly<Record<string, string>> = { "pinpoint-sms-voice": "sms-voice" };
const FORMER_OPERATIONS: Readonly<Record<string, string>> = {
  "delete-whatsapp-media-message": "delete-whatsapp-message-media",
  "get-whatsapp-media-message": "get-whatsapp-message-media",
  "post-whatsapp-media-message": "post-whatsapp-message-media",
};

function classifyOperation(
  service: string,
  operation: string | undefined,
  rest: readonly string[],
  labels: Readonly<Record<string, string>>,
): Classification {
  const api = awsCatalogue().byCli.get(former(FORMER_SERVICES, service));
  if (api === undefined)
    return unknownClassification("aws", `unknown service '${service}'`, { labels, command: service });
  const known = { ...labels, service: api.iam };
  if (operation === undefined)
    return unknownClassification("aws", "no operation is named", { labels: known, command: service });
  const command = `${service} ${operation}`;
  if (operation === "wait")
    return { ...harmless(`${command} ${rest[0] ?? ""}`.trim(), "waits by reading", known) };
  const found = api.operationByCliName(former(FORMER_OPERATIONS, operation));
  if (found === undefined)
    return unknownClassification("aws", `unknown operation '${operation}' of ${service}`, {
      labels: known,
      command,
    });
  const { tier, command: canonical, aliases, reason } = describeOperations([found]);
  const bucket = service === "s3api" ? flagValue(rest, "--bucket") : undefined;
  const account = service === "s3control" ? flagValue(rest, "--account-id") : undefined;
  const plain: Classification = {
    protocol: "aws",
    tier,
    command: canonical,
    aliases,
    labels: {
      ...known,
      ...(bucket === undefined ? {} : { bucket }),
      ...(account === undefined ? {} : { account }),
    },
    reason,
  };
  const finding = judgeAwsWords(found, rest);
  if (finding !== undefined && "tier" in finding)
    return { ...plain, tier: finding.tier, reason: `${reason}; ${finding.reason}` };
  if (service !== "s3api" || tier !== "modify" || !setsAccess(rest)) return plain;
  return { ...plain, tier: "break-glass", reason: `${reason}; sets an access list` };
}

function former(names: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(names, name) ? (names[name] ?? name) : name;
}

function harmless(command: string, reason: string, labels: Readonly<Record<string, string>>): Classification {
  return { protocol: "aws", tier: "observe", command, aliases: [], labels, reason };
}

/** The value of a flag, in either spelling; the last one counts, as in argparse. */
function flagValue(args: readonly string[], flag: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === flag) value = args[i + 1] ?? value;
    else if (arg.startsWith(`${flag}=`)) value = arg.slice(flag.length + 1);
  }
  return value;
}

function readCommandLine(args: readonly string[]): AwsCommandLine {
  const words: string[] = [];
  let at = 0;
  let region: string | undefined;
  let isVersion = false;
  let strange: string | undefined;
  for (; at < args.length && words.length < 2 && strange === undefined; at++) {
    const arg = args[at] ?? "";
    if (!arg.startsWith("-")) {
      words.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const name = globalFlag(equals < 0 ? arg.slice(2) : arg.slice(2, equals));
    if (arg === "--version") isVersion = words.length === 0;
    else if (!arg.startsWith("--") || name === undefined) strange = arg;
    else if (GLOBAL_VALUES.includes(name)) {
      const value = equals < 0 ? args[++at] : arg.slice(equals + 1);
      if (name === "region") region = value;
    } else if (equals >= 0) strange = arg;
  }
  const rest = args.slice(at);
  return { words, rest, region: flagValue(rest, "--region") ?? region, isVersion, strange };
}

/** The global flag of this name, or the one that it abbreviates without doubt: argparse takes both. */
function globalFlag(name: string): string | undefined {
  if (GLOBAL_VALUES.includes(name) || GLOBAL_SWITCHES.includes(name)) return name;
  const meant = [...GLOBAL_VALUES, ...GLOBAL_SWITCHES].filter((flag) => flag.startsWith(name));
  return name !== "" && meant.length === 1 ? meant[0] : undefined;
}
