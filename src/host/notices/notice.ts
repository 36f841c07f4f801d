// The notice of one request that waits for a person, and the contract of its senders: Slack, a
// webhook, PagerDuty, e-mail. A sender only writes and sends; `outbox.ts` decides when to send, and
// whether to send again. The daemon and the server use the same senders. Channel, approver and
// urgency are the target's, never the request's.

import type { TierOrUnknown } from "../../model/tier.ts";

/** The steps of one question, in order; `seen`: a person looks at it. */
export const NOTICE_STEPS = ["asked", "seen", "settled"] as const;

/** A step of a question on its way to its end. */
export type NoticeStep = (typeof NOTICE_STEPS)[number];

/**
 * One question as a target should show it now. Plain data; secrets in it are masked, control characters not
 * yet escaped.
 */
export interface Notice {
  /** Names the question. An approval that is asked about again is another question. */
  readonly subject: string;
  readonly step: NoticeStep;
  /** Unguessable; stands for the question and its digest on a button and in a callback. */
  readonly nonce: string;
  readonly approvalId: string;
  /** The digest of exactly this ask. */
  readonly digest: string;
  readonly tier: TierOrUnknown;
  readonly protocol: string;
  readonly command: string;
  /** Host and port, or another name for the place. */
  readonly target: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The request itself in one piece. */
  readonly request: string;
  /** Further facts for the person, with their labels. */
  readonly evidence: readonly { readonly label: string; readonly text: string }[];
  readonly rule: string;
  readonly reason: string;
  /** Program and run that ask, as far as the operating system told. */
  readonly askedBy: string;
  /** The machine that it waits on. */
  readonly machine: string;
  readonly createdMs: number;
  readonly expiresMs: number;
  /** The notice of a settled ask. */
  readonly outcome?: string;
  /** Who settled it. */
  readonly by?: string;
  readonly note?: string;
  /** In place of the headline, for a notice that asks nothing: nobody can answer it. */
  readonly title?: string;
}

/** How a sending went. */
export type Sent =
  | { readonly kind: "delivered"; readonly handle?: string }
  /** It is sent again, not before `afterMs`. `isUncertain`: it may have arrived all the same. */
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly afterMs?: number;
      readonly isUncertain?: boolean;
    }
  /** This one will never be taken. */
  | { readonly kind: "refused"; readonly reason: string };

/** The target's answer about a sending whose end is not known. */
export type Found =
  | { readonly kind: "there"; readonly handle: string }
  | { readonly kind: "absent" }
  | { readonly kind: "unknown"; readonly reason: string };

/** An open way to one target. */
export interface NoticeSender extends AsyncDisposable {
  /** The steps that it tells; others are passed over. */
  readonly steps: readonly NoticeStep[];
  /** Whether it sends the end of an ask whose beginning it never sent. */
  readonly wantsAll: boolean;
  /** Whether the same message may arrive twice without harm. */
  readonly mayRepeat: boolean;
  /** Between two messages, so that a burst is no flood. */
  readonly gapMs: number;
  /** Never throws because of the receiver or the network. `handle` comes from the step before. */
  send(notice: Notice, handle: string | undefined, signal: AbortSignal): Promise<Sent>;
  /** Looks whether it has arrived; only where `mayRepeat` is false. */
  find?(notice: Notice, signal: AbortSignal): Promise<Found>;
  /** Why nothing can be answered there, as a clause; undefined where it can, or where nobody ever could. */
  readonly problem?: string | undefined;
}
