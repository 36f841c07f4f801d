// Starts the daemon parts of all features and puts their additions together. A method that no
// feature handles although it lists it, or that two handle, stops the start: it is a mistake in the
// code.

import type { ControlHandlers } from "../api/handlers.ts";
import type { StatusReport } from "../api/reports.ts";
import { FEATURES } from "../features/features.ts";
import type { DaemonPart, DaemonParts, FeatureContracts, Offers, StartedFeatures } from "./daemon-part.ts";

/** Builds them in the order of the list; `parts.cleanup` ends them. */
export async function startFeatures(given: Omit<DaemonParts, "offered">): Promise<StartedFeatures> {
  const contracts: Partial<FeatureContracts> = {};
  const handlers: Partial<ControlHandlers> = {};
  const offers: Partial<Offers> = {};
  const reports: (() => Partial<StatusReport>)[] = [];
  const starts: (() => void | Promise<void>)[] = [];
  const parts: DaemonParts = { ...given, offered: () => whole(offers, OFFERS) };
  for (const { name, methods = [], daemon } of FEATURES) {
    const part: DaemonPart = daemon === undefined ? {} : (await daemon())(parts);
    const handled = Object.keys(part.handlers ?? {}) as (keyof ControlHandlers)[];
    for (const method of handled)
      if (method in handlers || !methods.includes(method))
        throw new Error(
          `the feature ${name} handles ${method}, which it does not list or which is handled twice`,
        );
    for (const method of methods)
      if (!handled.includes(method))
        throw new Error(`the feature ${name} lists ${method} and does not handle it`);
    for (const offer of Object.keys(part.offers ?? {}))
      if (offer in offers) throw new Error(`the feature ${name} offers ${offer}, which another one offers`);
    Object.assign(contracts, part.contracts);
    Object.assign(handlers, part.handlers);
    Object.assign(offers, part.offers);
    if (part.status !== undefined) reports.push(part.status);
    if (part.started !== undefined) starts.push(part.started);
  }
  return {
    contracts: whole(contracts, CONTRACTS),
    handlers,
    offers: whole(offers, OFFERS),
    started: async () => {
      for (const start of starts) await start();
    },
    status: () => Object.assign({}, ...reports.map((report) => report())),
  };
}

const CONTRACTS = ["credentials", "effects", "mcp", "ssh"] as const satisfies (keyof FeatureContracts)[];
const OFFERS = [
  "gate",
  "checkGuardSetting",
  "approvalUrl",
  "serveTouches",
  "consoleOpener",
  "observeSession",
] as const satisfies (keyof Offers)[];

/** The same with everything that the daemon cannot do without. */
function whole<T, K extends keyof T>(given: T, needed: readonly K[]): T & Required<Pick<T, K>> {
  const missing = needed.filter((name) => given[name] === undefined);
  if (missing.length > 0) throw new Error(`no feature brings ${missing.join(", ")}`);
  return given as T & Required<Pick<T, K>>;
}
