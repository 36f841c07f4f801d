// The effects of held requests: the requests that have one, the time for finding it, and the
// comparison after somebody has allowed one. The shown effect is remembered, and a request goes
// only if it still has that effect.

import type { EffectReport } from "../../api/effect-report.ts";
import type {
  EffectPreviews,
  EffectRelease,
  HeldEffect,
  HeldRequest,
} from "../../gateway/cluster/held-effect.ts";
import { ClusterReader } from "../../gateway/cluster/reader.ts";
import type { Policy } from "../../policy/policy.ts";
import { pinnedDelete } from "../../protocols/kubectl/effect/delete-request.ts";
import { type EffectPlan, planEffect } from "../../protocols/kubectl/effect/plan.ts";
import type { Settings } from "../../state/settings/settings.ts";
import { type EffectPin, type Preview, previewEffect } from "./preview.ts";

/** The daemon's parts that previews work with. */
export interface EffectsParts {
  readonly settings: () => Pick<Settings, "effect_preview" | "effect_pin">;
  readonly policy: () => Policy;
  /** Whether this host and port is a cluster that the operator registered. */
  readonly isRegistered: (host: string, port: number) => boolean;
  readonly log: (message: string, fields: Record<string, string | number>) => void;
}

/** A look takes no longer than a person waits for a page. */
const LOOK_MS = 3_000;
/** A found effect is shown again for this long without another look. */
const FRESH_MS = 5_000;

/** Makes the effects of held requests; one per daemon. */
export class Effects implements EffectPreviews {
  readonly #parts: EffectsParts;

  constructor(parts: EffectsParts) {
    this.#parts = parts;
  }

  of(held: HeldRequest): HeldEffect | undefined {
    if (!held.protocols.includes("kubectl")) return undefined;
    return new KubernetesEffect(this.#parts, held);
  }
}

class KubernetesEffect implements HeldEffect {
  readonly #parts: EffectsParts;
  #held: HeldRequest | undefined;
  readonly #plan: EffectPlan;
  #looking: Promise<Preview> | undefined;
  #freshUntilMs = 0;
  #shown: Preview | undefined;

  constructor(parts: EffectsParts, held: HeldRequest) {
    this.#parts = parts;
    this.#held = held;
    this.#plan = this.#planOf(held);
  }

  #planOf({ judged }: HeldRequest): EffectPlan {
    if (!this.#parts.isRegistered(judged.host, judged.port))
      return {
        kind: "none",
        why: "the cluster is not registered; an operator can do that with: iddio kubeconfig",
      };
    return planEffect(judged);
  }

  async show(): Promise<EffectReport> {
    if (this.#parts.settings().effect_preview === "off")
      return { state: "none", about: "the setting effect_preview is off" };
    const held = this.#held;
    if (held === undefined) return { state: "none", about: GONE };
    if (this.#looking === undefined || performance.now() > this.#freshUntilMs) {
      this.#freshUntilMs = performance.now() + LOOK_MS + FRESH_MS;
      this.#looking = this.#look(held, false);
    }
    const preview = await this.#looking;
    this.#shown = preview;
    return preview.report;
  }

  async release(shown: HeldEffect): Promise<EffectRelease> {
    const pin = shown instanceof KubernetesEffect ? shown.#shown?.pin : undefined;
    const held = this.#held;
    if (pin === undefined || held === undefined || this.#parts.settings().effect_pin === "off")
      return { kind: "go" };
    const now = (await this.#look(held, true)).pin;
    const problem = whyChanged(pin, now);
    if (problem !== undefined) return { kind: "changed", why: problem };
    if (this.#plan.kind !== "delete" || this.#plan.options === undefined || now?.kind !== "object")
      return { kind: "go" };
    const { uid, resourceVersion } = now;
    return { kind: "go", replaced: pinnedDelete(this.#plan.options, { uid, resourceVersion }) };
  }

  inherit(shown: HeldEffect): void {
    if (shown instanceof KubernetesEffect) this.#shown ??= shown.#shown;
  }

  forget(): void {
    this.#held = undefined;
    this.#looking = undefined;
  }

  async #look(held: HeldRequest, isRelease: boolean): Promise<Preview> {
    const { request, judged, protocols, asker, sentTarget } = held;
    const plan = this.#plan;
    const stop = new AbortController();
    const reader = new ClusterReader({
      request,
      judged,
      sentPrefix: prefixOf(sentTarget, judged.target) + (plan.kind === "none" ? "" : plan.prefix),
      protocols,
      asker,
      policy: this.#parts.policy,
      signal: stop.signal,
    });
    const timer = setTimeout(() => stop.abort(), LOOK_MS);
    try {
      return await Promise.race([previewEffect(plan, reader, isRelease), overAfter(LOOK_MS + 250)]);
    } catch (error) {
      const why = `the look at the cluster failed: ${error instanceof Error ? error.message : String(error)}`;
      return { report: { state: "none", about: why }, pin: undefined };
    } finally {
      clearTimeout(timer);
      stop.abort();
      if (reader.requests > 0)
        this.#parts.log("looked at the effect of a held request", {
          host: judged.host,
          requests: reader.requests,
        });
    }
  }
}

const GONE = "its client no longer waits, and iddio asks nothing in its name any more";

/** A dial that hangs holds nobody up. */
function overAfter(ms: number): Promise<Preview> {
  const report = { state: "none", about: `the cluster did not answer within ${LOOK_MS / 1000}s` } as const;
  return new Promise((resolve) => setTimeout(resolve, ms, { report, pin: undefined }).unref());
}

/** The prefix of the sent target before the judged one. */
function prefixOf(sent: string, judged: string): string {
  return sent.endsWith(judged) ? sent.slice(0, sent.length - judged.length) : "";
}

function whyChanged(shown: EffectPin, now: EffectPin | undefined): string | undefined {
  if (now === undefined) return "the shown effect could not be checked again";
  if (shown.kind === "object" && now.kind === "object" && shown.uid !== now.uid)
    return "the object was deleted and created again since it was shown";
  if (shown.kind === now.kind && shown.digest === now.digest) return undefined;
  return shown.kind === "set"
    ? "other objects are chosen by now than were shown"
    : "the object was changed since it was shown";
}
