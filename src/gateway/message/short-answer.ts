// Answers of the proxy itself, outside any judged request: a bad CONNECT, a loop, an
// upstream that cannot be reached. Short JSON, and the connection ends.

import { serialiseResponseHead } from "../../wire/http1/head.ts";
import type { Channel } from "../stream/channel.ts";
import { lingeringClose } from "../stream/lingering-close.ts";

const STATUS_TEXT: Readonly<Record<number, string>> = {
  100: "Continue",
  103: "Early Hints",
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  408: "Request Timeout",
  409: "Conflict",
  414: "URI Too Long",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

/** The reason phrase of a status that iddio sends; empty for one that it only passes on. */
export function statusText(status: number): string {
  return STATUS_TEXT[status] ?? "";
}

/** Sends `reason` under `status`, then closes without cutting off the reader. */
export async function answerShortly(channel: Channel, status: number, reason: string): Promise<void> {
  const value = status === 200 ? { outcome: reason } : { error: `iddio: ${reason}`, outcome: "blocked" };
  const body = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  const head = serialiseResponseHead({
    status,
    statusText: statusText(status),
    headers: [
      ["Content-Type", "application/json"],
      ["Content-Length", String(body.length)],
      ["Connection", "close"],
    ],
  });
  channel.write(Buffer.concat([head, body]));
  await lingeringClose(channel);
}
