// Every feature. Adding one is a folder and a line here; nothing registers itself, because a
// compiled binary has no folder to look through. Only what composes the program may import this
// list: cli/registry.ts.

import type { Feature } from "../cli/kit/feature.ts";
import { approvalsFeature } from "./approvals/feature.ts";
import { consoleFeature } from "./console/feature.ts";
import { credentialsFeature } from "./credentials/feature.ts";
import { doctorFeature } from "./doctor/feature.ts";
import { effectsFeature } from "./effects/feature.ts";
import { fleetFeature } from "./fleet/feature.ts";
import { forwardFeature } from "./forward/feature.ts";
import { guardFeature } from "./guard/feature.ts";
import { hooksFeature } from "./hooks/feature.ts";
import { integrityFeature } from "./integrity/feature.ts";
import { mcpFeature } from "./mcp/feature.ts";
import { notifyFeature } from "./notify/feature.ts";
import { observeFeature } from "./observe/feature.ts";
import { policyFeature } from "./policy/feature.ts";
import { recordingFeature } from "./recording/feature.ts";
import { runFeature } from "./run/feature.ts";
import { sshFeature } from "./ssh/feature.ts";
import { undoFeature } from "./undo/feature.ts";
import { updateFeature } from "./update/feature.ts";

/** The list, by name. */
export const FEATURES: readonly Feature[] = [
  approvalsFeature,
  consoleFeature,
  credentialsFeature,
  doctorFeature,
  effectsFeature,
  fleetFeature,
  forwardFeature,
  guardFeature,
  hooksFeature,
  integrityFeature,
  mcpFeature,
  notifyFeature,
  observeFeature,
  policyFeature,
  recordingFeature,
  runFeature,
  sshFeature,
  undoFeature,
  updateFeature,
];
