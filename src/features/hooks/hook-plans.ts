// Saved plans in the command line of a hook: their changes raise the tier and are shown, and a
// person's answer is for their bytes. Plans are applied from the daemon's copy, never from the
// agent's file.

import type { ControlMethods } from "../../api/methods.ts";
import { keepPlan, keptPlanPath } from "../../host/plan/kept-plans.ts";
import { planText, readPlan, type SavedPlan } from "../../host/plan/terraform-plan.ts";
import type { Classification } from "../../model/classification.ts";
import { stricterTier } from "../../model/tier.ts";
import type { ScriptPart } from "../../protocols/shell/classify-program.ts";
import { savedPlanOf } from "../../protocols/terraform/argv.ts";
import { doubtful } from "../../protocols/unknown.ts";
import type { StatePaths } from "../../state/paths.ts";

const SHOWN_LINES = 500;
const TOLD_LINES = 12;

/** The plans of one command line. */
export class HookPlans {
  readonly #sent = new Map<string, { readonly bytes: Uint8Array; readonly plan: SavedPlan | undefined }>();
  readonly #used = new Map<string, SavedPlan>();

  constructor({ plans = [] }: Pick<ControlMethods["hooks_judge"]["input"], "plans">) {
    for (const { file, content } of plans) {
      const bytes = new Uint8Array(Buffer.from(content, "base64"));
      this.#sent.set(file, { bytes, plan: readPlan(bytes) });
    }
  }

  /** Classifies a program of the script; one that applies a saved plan is classified by that plan. */
  readonly read = (part: ScriptPart): Classification => {
    const file = savedPlanOf(part.argv);
    if (file === undefined) return part.classification;
    const plan = this.#sent.get(file)?.plan;
    if (plan === undefined) return doubtful(part.classification, `the saved plan '${file}' cannot be read`);
    this.#used.set(file, plan);
    return withPlan(part.classification, plan);
  };

  /** Adds the plans to the inputs of the digest. */
  get digests(): readonly string[] {
    return [...this.#used.values()].map(({ sha256 }) => sha256);
  }

  /** The plans that were read, as evidence for the person. */
  get evidence(): readonly { readonly label: string; readonly text: string }[] {
    return [...this.#used.values()].map((plan) => ({ label: "Plan", text: planText(plan, SHOWN_LINES) }));
  }

  /** The same for one sentence. */
  get told(): string {
    return [...this.#used.values()]
      .map((plan) => planText(plan, TOLD_LINES).replaceAll("\n", "; "))
      .join("; ");
  }

  /** Keeps copies; says what to type where the command names another file than the copy. */
  async redirection(paths: StatePaths, run: string | undefined): Promise<string | undefined> {
    for (const [file, { sha256 }] of this.#used) {
      const kept = keptPlanPath(paths, run, sha256);
      const bytes = this.#sent.get(file)?.bytes;
      if (file === kept || bytes === undefined) continue;
      await keepPlan(paths, run, sha256, bytes);
      return `run the same command with '${kept}' in place of '${file}'`;
    }
    return undefined;
  }
}

function withPlan(plain: Classification, plan: SavedPlan): Classification {
  const of = (...actions: readonly string[]) =>
    plan.changes.filter(({ action }) => actions.includes(action)).length;
  if (of("unknown") > 0) return doubtful(plain, "the saved plan has actions that we do not know");
  if (plain.tier === "unknown") return plain;
  const gone = of("delete", "replace");
  const [tier, reason] = plan.isDestroy
    ? (["break-glass", "the saved plan tears infrastructure down"] as const)
    : gone > 0
      ? ([
          "sensitive",
          `the saved plan deletes or replaces ${gone} of ${plan.changes.length} resources`,
        ] as const)
      : (["modify", `the saved plan changes ${plan.changes.length} resources and deletes none`] as const);
  return { ...plain, tier: stricterTier(plain.tier, tier), reason };
}
