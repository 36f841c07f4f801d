// Rows to an object store that speaks S3: one compressed object of lines a batch, named by day,
// machine and the first row, so that a batch that is sent again replaces itself. Bun's own client
// signs and sends.

import { gzipSync } from "node:zlib";
import { outboundPlace } from "../../../host/outgoing/send-request.ts";
import type { Entry } from "../../../model/entry.ts";
import type { Delivery, Sink } from "../sink.ts";

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

const TIMEOUT_MS = 60_000;

/** Puts one object a batch. */
export function s3Sink(to: Bucket, hostname: string, render: (entry: Entry) => unknown): Sink {
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
    async deliver(rows): Promise<Delivery> {
      if (to.endpoint !== undefined) {
        const place = await outboundPlace(new URL(to.endpoint), "private");
        if ("refused" in place) return { kind: "failed", reason: place.refused };
      }
      const body = gzipSync(rows.map((row) => `${JSON.stringify(render(row))}\n`).join(""));
      try {
        await within(
          TIMEOUT_MS,
          client.write(objectKeyOf(rows, to.prefix, hostname), body, { type: "application/gzip" }),
        );
        return { kind: "delivered" };
      } catch (error) {
        const { code, message } = error as { code?: string; message?: string };
        return {
          kind: "failed",
          reason: [code, message].filter(Boolean).join(": ") || "the store did not take it",
        };
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** `prefix/2026/11/29/host-16223344-<hash>.jsonl.gz` */
export function objectKeyOf(rows: readonly Entry[], prefix: string, hostname: string): string {
  const first = rows[0];
  const [day = "", time = ""] = new Date(first?.timestamp_ms ?? 0).toISOString().split("T");
  const host = hostname.replace(/[^A-Za-z0-9.-]/g, "_");
  const name = `${host}-${time.slice(0, 8).replaceAll(":", "")}-${first?.hash.slice(0, 16) ?? ""}.jsonl.gz`;
  return [prefix, ...day.split("-"), name].filter((part) => part !== "").join("/");
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("there was no answer in time")), ms);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}
