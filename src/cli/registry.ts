// Every command, in the order in which help lists them. Adding one is a file and a line here; nothing
// registers itself, because a compiled binary has no folder to look through.

import {
  approvalAllowCommand,
  approvalDenyCommand,
  approvalListCommand,
  approvalShowCommand,
} from "../features/approvals/approval.ts";
import { eventsCommand } from "../features/approvals/events.ts";
import { approvalGrantsListCommand, approvalGrantsRevokeCommand } from "../features/approvals/grants.ts";
import { approvalWatchCommand } from "../features/approvals/watch.ts";
import { consoleCommand, consoleRevokeCommand, consoleSessionsCommand } from "../features/console/console.ts";
import {
  credentialsAddCommand,
  credentialsEnvCommand,
  credentialsListCommand,
  credentialsRemoveCommand,
  credentialsRevokeCommand,
  credentialsTestCommand,
} from "../features/credentials/commands.ts";
import { doctorCommand } from "../features/doctor/doctor.ts";
import { repairCommand } from "../features/doctor/repair.ts";
import {
  forwardAddCommand,
  forwardListCommand,
  forwardRemoveCommand,
  forwardRotateCommand,
  forwardTestCommand,
} from "../features/forward/commands.ts";
import {
  guardEnrollCommand,
  guardRecoveryCommand,
  guardRemoveCommand,
  guardReplaceCommand,
  guardStatusCommand,
} from "../features/guard/commands.ts";
import {
  hookCommand,
  hooksDoctorCommand,
  hooksInstallCommand,
  hooksUninstallCommand,
} from "../features/hooks/hook.ts";
import { auditVerifyCommand } from "../features/integrity/audit-verify.ts";
import {
  mcpBindCommand,
  mcpForgetCommand,
  mcpInstallCommand,
  mcpListCommand,
  mcpReviewCommand,
  mcpRunCommand,
  mcpUninstallCommand,
} from "../features/mcp/commands.ts";
import {
  observeClearCommand,
  observeShowCommand,
  observeStartCommand,
  observeStatusCommand,
  observeStopCommand,
} from "../features/observe/observe.ts";
import { policyCheckCommand, policyDiffCommand } from "../features/policy/compare.ts";
import { policyEditCommand } from "../features/policy/edit.ts";
import { policyExplainCommand } from "../features/policy/explain.ts";
import { policyLintCommand } from "../features/policy/lint.ts";
import {
  policyReloadCommand,
  policySchemaCommand,
  policyShowCommand,
  policyValidateCommand,
} from "../features/policy/policy.ts";
import { policyReplayCommand } from "../features/policy/replay.ts";
import { policySuggestCommand } from "../features/policy/suggest.ts";
import { policyTestCommand } from "../features/policy/test.ts";
import {
  sessionEndCommand,
  sessionExportCommand,
  sessionFollowCommand,
  sessionListCommand,
  sessionReplayCommand,
  sessionShowCommand,
} from "../features/recording/commands.ts";
import {
  runBridgeCommand,
  runCommand,
  runListCommand,
  runProfilesCommand,
  runQuarantineCommand,
  runRestoreCommand,
  runStopCommand,
} from "../features/run/run.ts";
import { sshConfigCommand, sshProxyCommand, sshSessionCommand } from "../features/ssh/commands.ts";
import {
  undoApplyCommand,
  undoClearCommand,
  undoListCommand,
  undoShowCommand,
} from "../features/undo/commands.ts";
import { updateApplyCommand, updateCheckCommand, updateStatusCommand } from "../features/update/update.ts";
import { upgradeCommand } from "../features/update/upgrade.ts";
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
import { settingsGetCommand, settingsReloadCommand, settingsSetCommand } from "./commands/settings.ts";
import { shellInitCommand } from "./commands/shell-init.ts";
import { statusCommand } from "./commands/status.ts";
import { uninstallCommand } from "./commands/uninstall.ts";
import { upstreamAddCommand, upstreamListCommand, upstreamRemoveCommand } from "./commands/upstream.ts";
import { versionCommand } from "./commands/version.ts";
import type { Command } from "./kit/command.ts";

/** The list. */
export const COMMANDS: readonly Command[] = [
  installCommand,
  uninstallCommand,
  doctorCommand,
  repairCommand,
  upgradeCommand,
  updateCheckCommand,
  updateStatusCommand,
  updateApplyCommand,
  gatewayCommand,
  statusCommand,
  shellInitCommand,
  completionCommand,
  kubeconfigCommand,
  runCommand,
  runListCommand,
  runStopCommand,
  runProfilesCommand,
  runQuarantineCommand,
  runRestoreCommand,
  sshConfigCommand,
  sshProxyCommand,
  hookCommand,
  hooksInstallCommand,
  hooksUninstallCommand,
  hooksDoctorCommand,
  mcpRunCommand,
  mcpInstallCommand,
  mcpUninstallCommand,
  mcpListCommand,
  mcpReviewCommand,
  mcpBindCommand,
  mcpForgetCommand,
  policyShowCommand,
  policyEditCommand,
  policyValidateCommand,
  policyReloadCommand,
  policySchemaCommand,
  policyExplainCommand,
  policyLintCommand,
  policyReplayCommand,
  policySuggestCommand,
  policyTestCommand,
  policyDiffCommand,
  policyCheckCommand,
  consoleCommand,
  consoleSessionsCommand,
  consoleRevokeCommand,
  approvalListCommand,
  approvalShowCommand,
  approvalWatchCommand,
  approvalAllowCommand,
  approvalDenyCommand,
  approvalGrantsListCommand,
  approvalGrantsRevokeCommand,
  credentialsAddCommand,
  credentialsListCommand,
  credentialsEnvCommand,
  credentialsTestCommand,
  credentialsRevokeCommand,
  credentialsRemoveCommand,
  guardStatusCommand,
  guardEnrollCommand,
  guardReplaceCommand,
  guardRemoveCommand,
  guardRecoveryCommand,
  auditShowCommand,
  auditTailCommand,
  auditVerifyCommand,
  forwardAddCommand,
  forwardListCommand,
  forwardTestCommand,
  forwardRotateCommand,
  forwardRemoveCommand,
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
  observeStartCommand,
  observeStopCommand,
  observeStatusCommand,
  observeShowCommand,
  observeClearCommand,
  classifyHttpCommand,
  classifyCliCommand,
  classifyBatchCommand,
  decideCommand,
  caInfoCommand,
  settingsGetCommand,
  sessionListCommand,
  sessionShowCommand,
  sessionReplayCommand,
  sessionFollowCommand,
  sessionExportCommand,
  sessionEndCommand,
  undoListCommand,
  undoShowCommand,
  undoApplyCommand,
  undoClearCommand,
  settingsSetCommand,
  settingsReloadCommand,
  eventsCommand,
  manCommand,
  versionCommand,
  completeCommand,
  runBridgeCommand,
  sshSessionCommand,
];

/** What the commands that share their first words are about; all such words must be here. */
export const NOUNS: Readonly<Record<string, string>> = {
  approval: "Requests that wait for a person",
  "approval grants": "Grants: what is allowed for a while by 'approval allow --for'",
  audit: "The log of what happened",
  console: "The console in the browser",
  ca: "The authority that signs what clients are shown",
  classify: "What a request would be to the policy",
  credentials: "Tokens that iddio holds for agents",
  detector: "Hosts whose TLS cannot be intercepted",
  forward: "Where audit rows are sent to",
  guard: "What keeps an agent from approving for itself",
  hooks: "Agents that ask before they run a command",
  inspect: "The hosts that are intercepted",
  mcp: "Servers of tools (Model Context Protocol) that agents use",
  observe: "A trial: judge and record, block nothing",
  policy: "What is allowed, held and refused",
  run: "Agents in a sandbox",
  session: "What agents did inside of containers",
  settings: "What the daemon runs with",
  undo: "Changes of clusters that can be taken back",
  update: "The daemon's own update",
  upstream: "Private CAs and client certificates of upstreams",
};
