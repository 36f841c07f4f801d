// Tells people by e-mail, over SMTP with TLS. Nothing can be answered by mail: it only points to
// the request. The library is loaded with the first message. Subject and body are plain text;
// addresses are the target's alone.

import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { outboundPlace, type Reach } from "../outgoing/send-request.ts";
import { clampedLine, clampedLines, factsOf, headlineOf, shortDigest } from "./clean-text.ts";
import type { Notice, NoticeSender, Sent } from "./notice.ts";

/** Where mail goes and as whom. */
export interface EmailTarget {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; otherwise STARTTLS, which is then required. */
  readonly isTls: boolean;
  /** Only ever to this machine itself. */
  readonly isPlain: boolean;
  readonly user: string;
  readonly password: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly caPem?: string;
}

const TIMEOUT_MS = 30_000;
/** Mail is read by people: a burst of requests is no burst of mails. */
const GAP_MS = 5_000;
const REQUEST_MAX = 8 * 1024;

/** Sends one mail for each request that waits; how it ended is not told. */
export function emailSender(target: EmailTarget, reach: Reach): NoticeSender {
  return {
    steps: ["asked"],
    wantsAll: false,
    mayRepeat: false,
    gapMs: GAP_MS,
    async send(notice) {
      const place = await outboundPlace({ hostname: target.host }, reach);
      if ("refused" in place) return { kind: "failed", reason: place.refused };
      const { createTransport } = await import("nodemailer");
      const transport = createTransport({
        host: place.host,
        port: target.port,
        secure: target.isTls,
        requireTLS: !target.isTls && !target.isPlain,
        ignoreTLS: target.isPlain,
        ...(target.user === "" ? {} : { auth: { user: target.user, pass: target.password } }),
        tls: {
          ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
          ...(target.caPem === undefined ? {} : { ca: target.caPem }),
        },
        connectionTimeout: TIMEOUT_MS,
        greetingTimeout: TIMEOUT_MS,
        socketTimeout: TIMEOUT_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        await transport.sendMail(mailOf(notice, target));
        return { kind: "delivered" };
      } catch (error) {
        return sentByError(error);
      } finally {
        transport.close();
      }
    },
    // A mail cannot be looked for. A message that may have gone out is not sent twice.
    find: () => Promise.resolve({ kind: "unknown", reason: "it may have been sent already" }),
    async [Symbol.asyncDispose]() {},
  };
}

/** The parts of a message. The id is the question's, so that a repetition is one thread to its reader. */
function mailOf(notice: Notice, { from, to }: EmailTarget): object {
  const what = notice.command === "" ? notice.request : notice.command;
  const id = createHash("sha256").update(`${notice.machine}/${notice.subject}`).digest("hex").slice(0, 32);
  const lines = [
    notice.title === undefined ? "A request waits for a person." : clampedLine(notice.title, 300),
    "",
    ...factsOf(notice).map(([name, value]) => `${`${name}:`.padEnd(12)} ${value}`),
    "",
    clampedLines(notice.request, REQUEST_MAX),
    ...notice.evidence.flatMap(({ label, text }) => [
      "",
      `${clampedLine(label, 40)}:`,
      clampedLines(text, REQUEST_MAX),
    ]),
    "",
    `It waits until ${new Date(notice.expiresMs).toISOString()}.`,
    `On ${clampedLine(notice.machine, 100)}: iddio approval show ${notice.approvalId}`,
    `Digest: ${shortDigest(notice.digest)}`,
  ];
  return {
    from,
    to,
    subject: clampedLine(headlineOf(notice, `: ${what} on ${notice.target}`), 180),
    text: lines.join("\n"),
    messageId: `<${id}@iddio.invalid>`,
    headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** Of an SMTP answer 4xx is for now and 5xx for good; without an answer it may have arrived, once data went out. */
function sentByError(error: unknown): Sent {
  const { code, command, responseCode, message } = error as {
    readonly code?: unknown;
    readonly command?: unknown;
    readonly responseCode?: unknown;
    readonly message?: unknown;
  };
  const reason = clampedLine(String(message), 200);
  if (typeof responseCode === "number" && responseCode >= 500 && code !== "EAUTH")
    return { kind: "refused", reason };
  const isAfterData = command === "DATA" && responseCode === undefined;
  return { kind: "failed", reason, ...(isAfterData ? { isUncertain: true } : {}) };
}
