// The shared part of the sinks over HTTP: how an answer becomes a delivery. A receiver that says
// 401 or 404 is set up wrongly: nothing is lost, the rows wait until somebody fixes it. Only an
// answer about the rows themselves refuses them.

import { type OutboundRequest, sendRequest } from "../../../host/outgoing/send-request.ts";
import type { Delivery } from "../sink.ts";

/** Answers that say: these rows, as they are, will never be taken. */
const ABOUT_THE_ROWS: ReadonlySet<number> = new Set([400, 413, 415, 422]);
const SHOWN = 200;

/** Sends one batch. `judge` reads a 2xx answer that may still say no. */
export async function deliverOverHttp(
  request: OutboundRequest,
  judge: (text: string) => Delivery = () => ({ kind: "delivered" }),
): Promise<Delivery> {
  const answer = await sendRequest(request);
  if (answer.kind === "unreachable") return { kind: "failed", reason: answer.reason };
  const { status, text, afterMs } = answer;
  if (status >= 200 && status < 300) return judge(text);
  const said = text.replace(/\s+/g, " ").trim().slice(0, SHOWN);
  const reason = `the receiver answered ${status}${said === "" ? "" : `: ${said}`}`;
  if (ABOUT_THE_ROWS.has(status)) return { kind: "refused", reason };
  return { kind: "failed", reason, ...(afterMs === undefined ? {} : { afterMs }) };
}
