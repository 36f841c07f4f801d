// Starts the daemon parts of all features and puts their additions together. A method that no
// feature handles although it lists it, or that two handle, stops the start: it is a mistake in the
// code.

import type { ControlHandlers } from "../api/handlers.ts";
import type { StatusReport } from "../api/reports.ts";
import { FEATURES } from "../features/features.ts";
import type { DaemonParts, FeatureContracts, StartedFeatures } from "./daemon-part.ts";

/** Starts them in the order of the list; `parts.cleanup` ends them. */
export async function startFeatures(parts: DaemonParts): Promise<StartedFeatures> {
  const contracts: Partial<FeatureContracts> = {};
  const handlers: Partial<ControlHandlers> = {};
  const reports: (() => Partial<StatusReport>)[] = [];
  for (const { name, methods = [], daemon } of FEATURES) {
    if (daemon === undefined) continue;
    const part = (await daemon())(parts);
    for (const method of Object.keys(part.handlers ?? {}) as (keyof ControlHandlers)[])
      if (method in handlers || !methods.includes(method))
        throw new Error(
          `the feature ${name} handles ${method}, which it does not list or which is handled twice`,
        );
    Object.assign(contracts, part.contracts);
    Object.assign(handlers, part.handlers);
    if (part.status !== undefined) reports.push(part.status);
  }
  const { credentials, effects } = contracts;
  if (credentials === undefined || effects === undefined)
    throw new Error("no feature implements the gateway's contracts for credentials and effects");
  return {
    contracts: { ...contracts, credentials, effects },
    handlers,
    status: () => Object.assign({}, ...reports.map((report) => report())),
  };
}
