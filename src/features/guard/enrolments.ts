// Enrolling, replacing and removing a factor. A new factor takes the place of the old one only when
// it has shown that it works. Settings and state.db are both changed; if only one was, the guard
// stays closed until root puts it in order.

import { randomBytes } from "node:crypto";
import type { GuardEnrolment, GuardRecovery } from "../../api/daemon-reports.ts";
import type { Presence } from "../../api/principal.ts";
import { UserError } from "../../model/user-error.ts";
import type { FactorRecord, GuardStore } from "../../state/tables/guard-store.ts";
import { type Guard, type GuardName, newRecoveryCode, recoveryHash } from "./guard.ts";
import type { PasskeyCeremonies } from "./passkey-ceremonies.ts";
import { acceptedCounter, encodeBase32, otpauthUri } from "./totp.ts";

/** The parts that enrolments work with. */
export interface EnrolmentParts {
  readonly guard: Guard;
  readonly store: GuardStore;
  readonly ceremonies: PasskeyCeremonies;
  /** Writes the setting. */
  readonly setSetting: (value: GuardName) => Promise<unknown>;
  readonly account: string;
  readonly publish: (fields: Readonly<Record<string, unknown>>) => void;
  readonly now: () => number;
}

type Pending =
  | { readonly kind: "totp"; readonly secret: Uint8Array; readonly presence: Presence | undefined }
  | { readonly kind: "passkey"; readonly ceremony: string; readonly presence: Presence | undefined };

const DELAY_MS = 10 * 60_000;
const LIFE_MS = 10 * 60_000;
const CODES = 8;

/** The enrolments of one daemon; at most one is under way. */
export class Enrolments {
  readonly #parts: EnrolmentParts;
  #pending: { readonly id: string; readonly what: Pending; readonly untilMs: number } | undefined;

  constructor(parts: EnrolmentParts) {
    this.#parts = parts;
  }

  /** Begins; another one that was under way ends. */
  async begin(kind: "totp" | "passkey", presence: Presence | undefined): Promise<GuardEnrolment> {
    const id = randomBytes(16).toString("hex");
    const untilMs = performance.now() + LIFE_MS;
    if (kind === "totp") {
      const secret = randomBytes(20);
      this.#pending = { id, untilMs, what: { kind, secret, presence } };
      return { enrolment: id, otpauth: otpauthUri(secret, this.#parts.account) };
    }
    const { ceremony, url } = await this.#parts.ceremonies.enrol(this.#parts.account);
    this.#pending = { id, untilMs, what: { kind, ceremony, presence } };
    return { enrolment: id, url };
  }

  /** Ends with the first code, or with the passkey that the page made, and gives the recovery codes. */
  async confirm(id: string, code: string | undefined): Promise<GuardRecovery> {
    const pending = this.#pending;
    if (pending === undefined || pending.id !== id || pending.untilMs <= performance.now())
      throw new UserError("no such enrolment is under way", {
        hint: "begin again: iddio guard enroll",
        code: "not-found",
      });
    const { presence } = pending.what;
    const decidesFromMs = presence?.factor === "recovery" ? this.#parts.now() + DELAY_MS : this.#parts.now();
    const factor = await this.#proven(pending.what, code, decidesFromMs);
    this.#pending = undefined;
    const codes = Array.from({ length: CODES }, newRecoveryCode);
    // In between the two disagree, and that is closed.
    await this.#parts.setSetting(factor.kind);
    this.#parts.store.put(factor, codes.map(recoveryHash));
    this.#parts.publish({ change: "enrolled", factor: factor.kind, decides_from_ms: decidesFromMs });
    return { codes, decides_from_ms: decidesFromMs };
  }

  /** Removes the factor. */
  async remove(): Promise<void> {
    this.#pending = undefined;
    await this.#parts.setSetting("session");
    this.#parts.store.clear();
    this.#parts.publish({ change: "removed" });
  }

  /** New recovery codes. */
  recovery(): GuardRecovery {
    const factor = this.#parts.store.factor();
    if (factor === undefined || factor === "damaged")
      throw new UserError("no factor is enrolled", { hint: "iddio guard enroll", code: "not-found" });
    const codes = Array.from({ length: CODES }, newRecoveryCode);
    this.#parts.store.putRecovery(codes.map(recoveryHash));
    this.#parts.publish({ change: "recovery_codes_replaced" });
    return { codes, decides_from_ms: factor.decidesFromMs };
  }

  async #proven(what: Pending, code: string | undefined, decidesFromMs: number): Promise<FactorRecord> {
    if (what.kind === "passkey") {
      const made = await this.#parts.ceremonies.enrolled(what.ceremony);
      return { kind: "passkey", ...made, decidesFromMs };
    }
    this.#parts.guard.checkLock();
    const counter = acceptedCounter(what.secret, code ?? "", this.#parts.now(), 0);
    if (counter === undefined) {
      this.#parts.guard.failed();
      throw new UserError("this code is not right", {
        hint: "type the code that the authenticator shows now",
        code: "wrong-code",
      });
    }
    return { kind: "totp", secret: encodeBase32(what.secret), counter, decidesFromMs };
  }
}
