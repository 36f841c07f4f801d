// Rows to an object store that speaks S3: one compressed object of lines a batch, named by day,
// machine and the first row, so that a batch that is sent again replaces itself. Bun's client signs
// an address for one upload; the upload goes the way of every request of ours, to an address that
// was checked.

import { gzipSync } from "node:zlib";
import { type Reach, sendRequest } from "../../../host/outgoing/send-request.ts";
import type { Entry } from "../../../model/entry.ts";
import { type Delivery, type ForwardedEntry, rowKey, type Sink } from "../sink.ts";

/** Where the objects go. */
export interface Bucket {
  readonly bucket: string;
  /** Without slashes at its ends; "" for the top. */
  readonly prefix: string;
  readonly region: string;
  /** https address of the store; absent for AWS. */
  readonly endpoint?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** From where they are sent. */
interface Origin {
  readonly hostname: string;
  readonly reach: Reach;
  readonly proxyFor: (url: string) => string;
}

const TIMEOUT_MS = 60_000;
const SIGNED_FOR_S = 300;

/** Puts one object a batch. */
export function s3Sink(
  to: Bucket,
  { hostname, reach, proxyFor }: Origin,
  render: (entry: Entry) => unknown,
): Sink {
  const client = new Bun.S3Client({
    bucket: to.bucket,
    region: to.region,
    accessKeyId: to.accessKeyId,
    secretAccessKey: to.secretAccessKey,
    ...(to.endpoint === undefined ? {} : { endpoint: to.endpoint }),
  });
  return {
    maxRows: 20_000,
    maxBytes: 4 * 1024 * 1024,
    gatherMs: 60_000,
    async deliver(rows, signal): Promise<Delivery> {
      const body = gzipSync(rows.map((row) => `${JSON.stringify(render(row))}\n`).join(""));
      const key = objectKeyOf(rows, to.prefix, hostname);
      const url = client.presign(key, { method: "PUT", expiresIn: SIGNED_FOR_S });
      const answer = await sendRequest({
        url,
        method: "PUT",
        headers: { "content-type": "application/gzip" },
        body,
        reach,
        proxy: proxyFor(url),
        signal,
        timeoutMs: TIMEOUT_MS,
      });
      if (answer.kind === "unreachable") return { kind: "failed", reason: answer.reason };
      const { status, text, afterMs } = answer;
      if (status >= 200 && status < 300) return { kind: "delivered" };
      // Never about the rows: an object of lines has no form that a store could refuse.
      const [code, message] = ["Code", "Message"].map(
        (tag) => new RegExp(`<${tag}>([^<]{1,200})`).exec(text)?.[1],
      );
      const said = [code, message].filter((each) => each !== undefined).join(": ");
      const reason = `the store answered ${status}${said === "" ? "" : `: ${said}`}`;
      return { kind: "failed", reason, ...(afterMs === undefined ? {} : { afterMs }) };
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** `prefix/2026/11/29/host-16223344-<hash>.jsonl.gz` */
export function objectKeyOf(rows: readonly ForwardedEntry[], prefix: string, hostname: string): string {
  const first = rows[0];
  const [day = "", time = ""] = new Date(first?.timestamp_ms ?? 0).toISOString().split("T");
  const host = hostname.replace(/[^A-Za-z0-9.-]/g, "_");
  const name = `${host}-${time.slice(0, 8).replaceAll(":", "")}-${first === undefined ? "" : rowKey(first).slice(0, 16)}.jsonl.gz`;
  return [prefix, ...day.split("-"), name].filter((part) => part !== "").join("/");
}
