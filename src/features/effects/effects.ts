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
import { pinnedDelete } from "../../protocols/kubectl/effect/delete-request.ts";
import { type EffectPlan, planEffect } from "../../protocols/kubectl/effect/plan.ts";
import { type EffectsParts, FRESH_MS, GONE, LOOK_MS, look, OFF } from "./look.ts";
import { type EffectPin, type Preview, previewEffect } from "./preview.ts";
import { isRestProtocol, RestEffect } from "./rest-effect.ts";

/** Makes the effects of held requests; one per daemon. */
export class Effects implements EffectPreviews {
  readonly #parts: EffectsParts;

  constructor(parts: EffectsParts) {
    this.#parts = parts;
  }

  of(held: HeldRequest): HeldEffect | undefined {
    if (held.protocols.includes("kubectl")) return new KubernetesEffect(this.#parts, held);
    const protocol = held.protocols.find(isRestProtocol);
    return protocol === undefined ? undefined : new RestEffect(this.#parts, held, protocol);
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
    if (this.#parts.settings().effect_preview === "off") return OFF;
    const held = this.#held;
    if (held === undefined) return GONE;
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
    const replaced = pinnedDelete(this.#plan.options, { uid, resourceVersion });
    return replaced === undefined
      ? { kind: "changed", why: "it names another object or version than the one that is there" }
      : { kind: "go", replaced };
  }

  inherit(shown: HeldEffect): void {
    if (shown instanceof KubernetesEffect) this.#shown ??= shown.#shown;
  }

  forget(): void {
    this.#held = undefined;
    this.#looking = undefined;
  }

  #look(held: HeldRequest, isRelease: boolean): Promise<Preview> {
    const plan = this.#plan;
    const { sentTarget, judged } = held;
    const prefix = prefixOf(sentTarget, judged.target) + (plan.kind === "none" ? "" : plan.prefix);
    return look(this.#parts, held, prefix, (reader) => previewEffect(plan, reader, isRelease));
  }
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
