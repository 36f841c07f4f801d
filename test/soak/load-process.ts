// The process of the soak's clients.

import { answerCalls } from "../../bench/worker.ts";
import { Load, type LoadOrder, type LoadProgress } from "./load.ts";

let load: Load | undefined;

answerCalls({
  run(order: LoadOrder): Promise<LoadProgress> {
    load = new Load(order);
    return load.run();
  },
  progress: (): Omit<LoadProgress, "faults"> | undefined => {
    if (load === undefined) return undefined;
    const { faults: _, ...rest } = load.progress;
    return rest;
  },
});
