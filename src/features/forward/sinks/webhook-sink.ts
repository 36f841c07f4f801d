// Rows to a webhook, signed as the Standard Webhooks specification has it: HMAC-SHA256 over id,
// time and body, one signature for each secret that is valid at the time. The id is made of the
// first row, so that a batch that is sent again carries the same one.

import type { OutboundRequest } from "../../../host/outgoing/send-request.ts";
import { webhookHeaders } from "../../../host/outgoing/standard-webhook.ts";
import type { Entry } from "../../../model/entry.ts";
import { rowKey, type Sink } from "../sink.ts";
import { deliverOverHttp } from "./http-sink.ts";

/** Posts `{ type: "audit.rows", timestamp, data }`. */
export function webhookSink(
  base: () => OutboundRequest,
  secrets: () => readonly string[],
  render: (entry: Entry) => unknown,
): Sink {
  return {
    maxRows: 200,
    maxBytes: 512 * 1024,
    gatherMs: 500,
    deliver(rows, signal) {
      const now = Date.now();
      const body = JSON.stringify({
        type: "audit.rows",
        timestamp: new Date(now).toISOString(),
        data: rows.map(render),
      });
      const [first] = rows;
      const id = `msg_${first === undefined ? "" : rowKey(first)}_${rows.length}`;
      const request = base();
      return deliverOverHttp({
        ...request,
        headers: {
          "content-type": "application/json",
          ...request.headers,
          ...webhookHeaders(id, Math.floor(now / 1000), body, secrets()),
        },
        body,
        signal,
      });
    },
    async [Symbol.asyncDispose]() {},
  };
}
