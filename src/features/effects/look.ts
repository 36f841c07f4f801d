// One look at what a held request would do: with the request's own credentials, bounded in time,
// and what comes of it in what is told. Whatever a cluster or an API answers, a report stays one
// that a person can read.

import type { EffectReport } from "../../api/effect-report.ts";
import type { HeldRequest } from "../../gateway/cluster/held-effect.ts";
import { ClusterReader } from "../../gateway/cluster/reader.ts";
import type { Policy } from "../../policy/policy.ts";
import type { Settings } from "../../state/settings/settings.ts";
import type { Preview } from "./preview.ts";

/** The daemon's parts that previews work with. */
export interface EffectsParts {
  readonly settings: () => Pick<Settings, "effect_preview" | "effect_pin">;
  readonly policy: () => Policy;
  /** Whether this host and port is a cluster that the operator registered. */
  readonly isRegistered: (host: string, port: number) => boolean;
  readonly log: (message: string, fields: Record<string, string | number>) => void;
}

/** A look takes no longer than a person waits for a page. */
export const LOOK_MS = 3_000;
/** A found effect is shown again for this long without another look. */
export const FRESH_MS = 5_000;

/** The setting says that nobody looks. */
export const OFF: EffectReport = { state: "none", about: "the setting effect_preview is off" };
/** Nobody may look any more. */
export const GONE: EffectReport = {
  state: "none",
  about: "its client no longer waits, and iddio asks nothing in its name any more",
};

const TEXT_MAX = 600;

/** Looks once. `sentPrefix`: what stands before each target that is read. Never rejects. */
export async function look(
  parts: EffectsParts,
  { request, judged, protocols, asker }: HeldRequest,
  sentPrefix: string,
  run: (reader: ClusterReader) => Promise<Preview>,
): Promise<Preview> {
  const stop = new AbortController();
  const { policy } = parts;
  const { signal } = stop;
  const reader = new ClusterReader({ request, judged, sentPrefix, protocols, asker, policy, signal });
  const timer = setTimeout(() => stop.abort(), LOOK_MS);
  try {
    const { report, pin } = await Promise.race([run(reader), overAfter(LOOK_MS + 250)]);
    return { report: bounded(report), pin };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { report: bounded({ state: "none", about: `the look at it failed: ${why}` }), pin: undefined };
  } finally {
    clearTimeout(timer);
    stop.abort();
    if (reader.requests > 0)
      parts.log("looked at the effect of a held request", { host: judged.host, requests: reader.requests });
  }
}

/** A dial that hangs holds nobody up. */
function overAfter(ms: number): Promise<Preview> {
  const report = { state: "none", about: `there was no answer within ${LOOK_MS / 1000}s` } as const;
  return new Promise((resolve) => setTimeout(resolve, ms, { report, pin: undefined }).unref());
}

/** Every text cut where it is longer than anything that is written to be read: names come from whoever made the object. */
export function bounded<T>(value: T): T {
  if (typeof value === "string")
    return (value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX)}…` : value) as T;
  if (Array.isArray(value)) return value.map(bounded) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [bounded(name), bounded(each)])) as T;
}
