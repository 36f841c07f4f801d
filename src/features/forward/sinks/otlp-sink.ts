// Rows to an OpenTelemetry collector: OTLP over HTTP, JSON encoding, compressed. An answer of 200
// may still say that some records were not taken: those are counted, never sent again, as the
// protocol has it.

import type { OutboundRequest } from "../../../host/outgoing/send-request.ts";
import type { Entry } from "../../../model/entry.ts";
import { otlpLogs } from "../formats/otlp-logs.ts";
import type { Delivery, Sender, Sink } from "../sink.ts";
import { deliverOverHttp } from "./http-sink.ts";

/** Posts to `base.url`, which ends on `/v1/logs`. */
export function otlpSink(
  base: () => OutboundRequest,
  sender: Sender,
  render: (entry: Entry) => unknown,
): Sink {
  return {
    maxRows: 500,
    maxBytes: 1024 * 1024,
    gatherMs: 1_000,
    deliver(rows, signal): Promise<Delivery> {
      const request = base();
      return deliverOverHttp(
        {
          ...request,
          headers: { "content-type": "application/json", ...request.headers },
          body: JSON.stringify(otlpLogs(rows, sender, Date.now(), render)),
          gzip: true,
          signal,
        },
        (text) => partialSuccess(text, rows.length),
      );
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** A 200 may say that some records were not taken, and that they are not to be sent again. */
function partialSuccess(text: string, sent: number): Delivery {
  try {
    const { partialSuccess } = JSON.parse(text === "" ? "{}" : text) as {
      partialSuccess?: { rejectedLogRecords?: unknown; errorMessage?: unknown };
    };
    const rejected = Math.min(sent, Number(partialSuccess?.rejectedLogRecords ?? 0));
    if (!(rejected > 0)) return { kind: "delivered" };
    return { kind: "delivered", rejected, note: String(partialSuccess?.errorMessage ?? "no reason given") };
  } catch {
    return { kind: "delivered" };
  }
}
