// The way of every ask, in order. A new stage is a file beside this one and a line here; what each
// promises is in stage.ts, and test/gateway/request/stages.test.ts removes, breaks and delays every
// one of them.

import { classify } from "./classify.ts";
import { credentials } from "./credentials.ts";
import { forward } from "./forward.ts";
import { guard } from "./guard.ts";
import { hold } from "./hold.ts";
import { intent } from "./intent.ts";
import { keep } from "./keep.ts";
import { outcome } from "./outcome.ts";
import { preview } from "./preview.ts";
import { record } from "./record.ts";
import type { Stage } from "./stage.ts";

/** Every stage, in the order in which an ask goes through them. */
export const STAGES: readonly Stage[] = [
  classify,
  guard,
  hold,
  preview,
  record,
  credentials,
  keep,
  intent,
  forward,
  outcome,
];
