// Command lines of gsutil, the older client of Cloud Storage. Its commands are few and closed, so
// here is a list; others are unknown.

import type { Classification } from "../../../model/classification.ts";
import type { Tier } from "../../../model/tier.ts";
import { readArgv } from "../../argv.ts";
import { doubtful, unknownClassification } from "../../unknown.ts";

/** Flags before the command. */
const GLOBAL = {
  values: new Set(["h", "i", "o", "u"]),
  switches: new Set(["D", "DD", "m", "q", "help", "version"]),
  stopAtWord: true,
} as const;

const TIERS: Readonly<Record<string, Tier>> = {
  cat: "observe",
  du: "observe",
  hash: "observe",
  help: "observe",
  ls: "observe",
  stat: "observe",
  test: "observe",
  version: "observe",
  autoclass: "modify",
  bucketpolicyonly: "modify",
  compose: "modify",
  config: "modify",
  cors: "modify",
  cp: "modify",
  defstorageclass: "modify",
  kms: "modify",
  label: "modify",
  lifecycle: "modify",
  logging: "modify",
  mb: "modify",
  mv: "modify",
  notification: "modify",
  pap: "modify",
  perfdiag: "modify",
  requesterpays: "modify",
  retention: "modify",
  rewrite: "modify",
  rpo: "modify",
  rsync: "modify",
  setmeta: "modify",
  ubla: "modify",
  update: "modify",
  versioning: "modify",
  web: "modify",
  rb: "sensitive",
  rm: "sensitive",
  signurl: "sensitive",
  acl: "break-glass",
  defacl: "break-glass",
  hmac: "break-glass",
  iam: "break-glass",
};

/** Words after which a command only reads. */
const READING = /^(?:get|list)$/;

/** Classifies the words after `gsutil`. */
export function classifyGsutilArgv(args: readonly string[]): Classification {
  const line = readArgv(args, GLOBAL);
  const name = line.words[0] ?? "";
  if (name === "" && line.strange.length === 0) return answer("observe", "", "prints help");
  if (line.strange.length > 0) return unknownClassification("gcloud", `unknown flag '${line.strange[0]}'`);
  const tier = Object.hasOwn(TIERS, name) ? TIERS[name] : undefined;
  if (tier === undefined) return unknownClassification("gcloud", `gsutil has no command '${name}'`);
  const rest = line.rest ?? [];
  const found = tierOfCommand(name, tier, rest);
  if (line.flags.has("i")) return { ...found, tier: "break-glass", reason: "acts as a service account" };
  return line.flags.has("o")
    ? doubtful(found, "settings on the command line may change what it does")
    : found;
}

function tierOfCommand(name: string, tier: Tier, rest: readonly string[]): Classification {
  const command = `gsutil ${name}`;
  if (
    rest.some((word) => READING.test(word)) &&
    READING.test(rest.find((word) => !word.startsWith("-")) ?? "")
  )
    return answer("observe", command, "reads");
  if ((name === "cp" || name === "rsync" || name === "mv") && rest.includes("-a"))
    return answer("break-glass", command, "changes who has access");
  if (name === "rsync" && rest.some((word) => /^-[a-zA-Z]*d/.test(word)))
    return answer("sensitive", command, "deletes what is not in the source");
  return answer(tier, command, tier === "observe" ? "reads" : "what this command does");
}

function answer(tier: Tier, command: string, reason: string): Classification {
  return { protocol: "gcloud", tier, command, aliases: [], labels: {}, reason };
}
