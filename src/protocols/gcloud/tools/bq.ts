// Command lines of bq, the client of BigQuery. Its flags follow absl: one or two dashes,
// before and after the command. SQL on the command line is read for words that delete or
// change access; SQL from elsewhere is a change like any other.

import type { Classification } from "../../../model/classification.ts";
import type { Tier } from "../../../model/tier.ts";
import { unknownClassification } from "../../unknown.ts";
import { sqlFinding } from "../body.ts";
import { withPlaces } from "../labels.ts";

/** Global flags that take the next word; all others before the command are switches or unknown. */
const VALUES = new Set(
  `api ca_certificates_file dataset_id discovery_file format job_id job_property location max_rows_per_request
  project_id proxy_address proxy_password proxy_port proxy_username service_account service_account_credential_file
  service_account_private_key_file credential_file bigqueryrc httplib2_debuglevel trace universe_domain`.split(
    /\s+/,
  ),
);
const SWITCHES = new Set(
  `apilog headless nosync sync quiet debug_mode fingerprint_job_id help synchronous_mode disable_ssl_validation
  use_gce_service_account use_google_auth`.split(/\s+/),
);

const TIERS: Readonly<Record<string, Tier>> = {
  "get-iam-policy": "observe",
  head: "observe",
  help: "observe",
  info: "observe",
  ls: "observe",
  show: "observe",
  version: "observe",
  wait: "observe",
  cancel: "modify",
  cp: "modify",
  extract: "modify",
  init: "modify",
  insert: "modify",
  load: "modify",
  mk: "modify",
  mkdef: "modify",
  partition: "modify",
  query: "modify",
  undelete: "modify",
  update: "modify",
  rm: "sensitive",
  truncate: "sensitive",
  "add-iam-policy-binding": "break-glass",
  "remove-iam-policy-binding": "break-glass",
  "set-iam-policy": "break-glass",
};

/** Classifies the words after `bq`. */
export function classifyBqArgv(args: readonly string[]): Classification {
  const labels: Record<string, string> = {};
  let at = 0;
  for (; at < args.length; at++) {
    const match = /^--?([a-z_0-9]+)(?:=([\s\S]*))?$/i.exec(args[at] ?? "");
    if (match === null) break;
    const name = (match[1] ?? "").replace(/^no(?=[a-z])/, (no) => (SWITCHES.has(match[1] ?? "") ? no : ""));
    const isValue = VALUES.has(name);
    const value = match[2] ?? (isValue ? args[++at] : undefined);
    if (!isValue && !SWITCHES.has(name) && match[2] === undefined)
      return unknownClassification("gcloud", `unknown flag '${args[at]}' before the command`);
    if (name === "project_id" && value !== undefined) labels.project = value;
    if (name === "location" && value !== undefined) labels.location = value;
    if (name === "help") return answer("observe", "", labels, "prints help");
  }
  const name = args[at] ?? "";
  if (name === "") return answer("observe", "", labels, "prints help");
  const tier = Object.hasOwn(TIERS, name) ? TIERS[name] : undefined;
  if (tier === undefined)
    return unknownClassification("gcloud", `bq has no plain command '${name}'`, { labels });
  const found = name === "query" ? sqlFinding(args.slice(at + 1).join(" ")) : undefined;
  return answer(found?.tier ?? tier, `bq ${name}`, labels, found?.reason ?? "what this command does");
}

function answer(tier: Tier, command: string, labels: Record<string, string>, reason: string): Classification {
  return { protocol: "gcloud", tier, command, aliases: [], labels: withPlaces(labels), reason };
}
