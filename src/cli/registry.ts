// Every command: those that belong to no feature, and those that features bring. Adding one is a
// file and a line here, or in the feature.ts of its feature; nothing registers itself, because a
// compiled binary has no folder to look through.

import { FEATURES } from "../features/features.ts";
import { auditShowCommand, auditTailCommand } from "./commands/audit.ts";
import { caInfoCommand } from "./commands/ca.ts";
import { classifyBatchCommand, classifyCliCommand, classifyHttpCommand } from "./commands/classify.ts";
import { completeCommand, completionCommand } from "./commands/completion.ts";
import { decideCommand } from "./commands/decide.ts";
import { detectorClearCommand, detectorListCommand, detectorPromoteCommand } from "./commands/detector.ts";
import { gatewayCommand } from "./commands/gateway.ts";
import { inspectAddCommand, inspectRemoveCommand, inspectSummaryCommand } from "./commands/inspect.ts";
import { installCommand } from "./commands/install.ts";
import { kubeconfigCommand } from "./commands/kubeconfig.ts";
import { manCommand } from "./commands/man.ts";
import { getProxyModeCommand, setProxyModeCommand } from "./commands/mode.ts";
import { pinCommand, pinnedCommand, unpinCommand } from "./commands/pin.ts";
import { serverCommand, serverMigrateCommand } from "./commands/server/server.ts";
import { serverExportCommand } from "./commands/server/server-export.ts";
import {
  serverEpochCommand,
  serverKeyListCommand,
  serverKeyRetireCommand,
  serverKeyRotateCommand,
} from "./commands/server/server-key.ts";
import {
  serverTenantCommand,
  serverTenantsCommand,
  serverTokenCommand,
} from "./commands/server/server-tenant.ts";
import { settingsGetCommand, settingsReloadCommand, settingsSetCommand } from "./commands/settings.ts";
import { shellInitCommand } from "./commands/shell-init.ts";
import { statusCommand } from "./commands/status.ts";
import { uninstallCommand } from "./commands/uninstall.ts";
import { upstreamAddCommand, upstreamListCommand, upstreamRemoveCommand } from "./commands/upstream.ts";
import { versionCommand } from "./commands/version.ts";
import type { Command } from "./kit/command.ts";

const OWN: readonly Command[] = [
  installCommand,
  uninstallCommand,
  gatewayCommand,
  statusCommand,
  shellInitCommand,
  completionCommand,
  kubeconfigCommand,
  auditShowCommand,
  auditTailCommand,
  inspectSummaryCommand,
  inspectAddCommand,
  inspectRemoveCommand,
  pinCommand,
  unpinCommand,
  pinnedCommand,
  detectorListCommand,
  detectorClearCommand,
  detectorPromoteCommand,
  upstreamListCommand,
  upstreamAddCommand,
  upstreamRemoveCommand,
  getProxyModeCommand,
  setProxyModeCommand,
  classifyHttpCommand,
  classifyCliCommand,
  classifyBatchCommand,
  decideCommand,
  caInfoCommand,
  settingsGetCommand,
  settingsSetCommand,
  settingsReloadCommand,
  serverCommand,
  serverMigrateCommand,
  serverTenantCommand,
  serverTenantsCommand,
  serverTokenCommand,
  serverKeyRotateCommand,
  serverKeyListCommand,
  serverKeyRetireCommand,
  serverEpochCommand,
  serverExportCommand,
  manCommand,
  versionCommand,
  completeCommand,
];

/** In which order help lists commands, by their first word; others come last. */
const ORDER = [
  "install",
  "uninstall",
  "doctor",
  "repair",
  "upgrade",
  "update",
  "gateway",
  "status",
  "shell-init",
  "completion",
  "kubeconfig",
  "run",
  "ssh-config",
  "ssh-proxy",
  "hook",
  "hooks",
  "mcp",
  "policy",
  "console",
  "approval",
  "credentials",
  "guard",
  "audit",
  "forward",
  "inspect",
  "pin",
  "unpin",
  "pinned",
  "detector",
  "upstream",
  "get-proxy-mode",
  "set-proxy-mode",
  "observe",
  "classify",
  "decide",
  "ca",
  "settings",
  "session",
  "undo",
  "events",
  "server",
  "man",
  "version",
];

/** The list, in the order in which help has it; commands for other programs come last. */
export const COMMANDS: readonly Command[] = [
  ...OWN,
  ...FEATURES.flatMap(({ commands = [] }) => commands),
].sort((one, other) => rank(one) - rank(other));

function rank({ name, isHidden }: Command): number {
  if (isHidden === true) return ORDER.length + 1;
  const at = ORDER.indexOf(name.split(" ")[0] ?? "");
  return at < 0 ? ORDER.length : at;
}

/** Describes the first words that several commands share; every such word must be here. */
export const NOUNS: Readonly<Record<string, string>> = Object.assign(
  {
    audit: "The audit log",
    ca: "The certificate authority that clients trust",
    classify: "The tier and command of a request or command line",
    detector: "Hosts whose TLS cannot be intercepted",
    inspect: "The hosts that are intercepted",
    server: "The control plane of a fleet",
    "server key": "The keys that sign policies and decisions for a tenant's gateways",
    "server tenant": "The owners of the gateways of a control plane",
    settings: "The settings of the daemon",
    upstream: "Private CAs and client certificates of upstreams",
  },
  ...FEATURES.map(({ nouns = {} }) => nouns),
);
