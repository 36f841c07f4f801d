// Touches of a passkey that are asked for: each is one question with a challenge of its own,
// answered at most once. The challenge covers the question's digest and 32 random bytes that only
// this process knows, so that a signature is good for this question, in this daemon, once. The page
// that asks is the console's; the cryptography is @simplewebauthn's.

import { createHash, randomBytes } from "node:crypto";
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { PresenceNeeded } from "../../api/gate.ts";
import { UserError } from "../../model/user-error.ts";
import type { FactorRecord } from "../../state/tables/guard-store.ts";
import type { GuardQuestion } from "./question.ts";

/** A passkey as it is kept. */
export type PasskeyRecord = Extract<FactorRecord, { kind: "passkey" }>;

/** Where the pages are. */
export interface PageServer {
  readonly port: number;
  stop(): void;
}

const LIFE_MS = 3 * 60_000;
const WAIT_MS = 5_000;
const WAITING_MAX = 32;
const RP_ID = "localhost";

/** One touch that is asked for. */
export interface Ceremony {
  readonly id: string;
  readonly title: string;
  readonly lines: GuardQuestion["lines"];
  readonly challenge: Uint8Array<ArrayBuffer>;
  readonly untilMs: number;
  /** The page passes these to the browser, as WebAuthn's JSON. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly kind: "enrol" | "prove";
}

interface Open extends Ceremony {
  readonly digest: string;
  readonly factor: PasskeyRecord | undefined;
  readonly done: PromiseWithResolvers<void>;
  state: "open" | "busy" | "done";
  made?: Omit<PasskeyRecord, "kind" | "decidesFromMs">;
}

/** The surroundings of ceremonies. */
export interface CeremonyParts {
  /** Serves the pages on `http://localhost:<port>`; port 0 means that there is no passkey yet. */
  readonly openPages: (
    port: number,
    find: (id: string) => Ceremony | undefined,
    finish: (id: string, answer: unknown) => Promise<void>,
  ) => PageServer;
  /** Called after an assertion with the authenticator's count of signatures. */
  readonly used: (factor: PasskeyRecord, signatures: number) => void;
  /** Called after an answer that was wrong. */
  readonly failed: () => void;
  readonly steadyMs?: () => number;
}

/** The ceremonies of one daemon. */
export class PasskeyCeremonies {
  readonly #parts: CeremonyParts;
  readonly #open = new Map<string, Open>();
  readonly #steadyMs: () => number;
  #pages: PageServer | undefined;

  constructor(parts: CeremonyParts) {
    this.#parts = parts;
    this.#steadyMs = parts.steadyMs ?? (() => performance.now());
  }

  /** Takes the port of an enrolled passkey for the life of the daemon: anyone who holds it is the passkey's origin. */
  async hold(port: number): Promise<void> {
    if (this.#pages?.port === port) return;
    this.#pages?.stop();
    this.#pages = undefined;
    this.#pages = this.#parts.openPages(
      port,
      (id) => this.#find(id),
      (id, answer) => this.#finish(id, answer),
    );
  }

  /** Stops serving pages. */
  close(): void {
    this.#pages?.stop();
    this.#pages = undefined;
  }

  /** Resolves when `proof` names a touch that was given for this question; uses it up. Throws with the page to go to. */
  async prove(factor: PasskeyRecord, proof: string | undefined, question: GuardQuestion): Promise<void> {
    const [word, id = ""] = (proof ?? "").split(" ", 2);
    const named = word === "passkey" ? this.#find(id) : undefined;
    if (named !== undefined && named.kind === "prove" && named.digest === question.digest) {
      await this.#settled(named);
      if (named.state === "done") {
        // Gone before the method runs: of two calls with the same proof one finds nothing.
        if (this.#open.delete(id)) return;
      } else throw this.#asks(named);
    }
    await this.hold(factor.port).catch((cause: unknown) => {
      throw new UserError(`the page for your passkey cannot be served: ${String(cause)}`, {
        hint: `free port ${factor.port}, or as root: iddio guard remove`,
        cause,
      });
    });
    const nonce = randomBytes(32);
    const untilMs = this.#steadyMs() + LIFE_MS;
    const challenge = sha256(nonce, question.digest, String(untilMs));
    throw this.#asks(
      this.#add({
        title: question.title,
        lines: question.lines,
        challenge,
        untilMs,
        options: {
          challenge: base64url(challenge),
          rpId: RP_ID,
          userVerification: "required",
          timeout: LIFE_MS,
          allowCredentials: [{ type: "public-key", id: factor.credentialId }],
        },
        kind: "prove",
        digest: question.digest,
        factor,
      }),
    );
  }

  /** Asks for a new passkey. */
  async enrol(account: string): Promise<{ readonly ceremony: string; readonly url: string }> {
    await this.hold(this.#pages?.port ?? 0);
    const challenge = new Uint8Array(randomBytes(32));
    const ceremony = this.#add({
      title: "Enrol a passkey for iddio",
      lines: [["user", account]],
      challenge,
      untilMs: this.#steadyMs() + LIFE_MS,
      options: {
        challenge: base64url(challenge),
        rp: { id: RP_ID, name: "iddio" },
        user: { id: base64url(randomBytes(16)), name: account, displayName: account },
        pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: { userVerification: "required", residentKey: "preferred" },
        attestation: "none",
        timeout: LIFE_MS,
      },
      kind: "enrol",
      digest: "",
      factor: undefined,
    });
    return { ceremony: ceremony.id, url: this.#url(ceremony.id) };
  }

  /** The passkey that a page made; waits a moment for it. Throws a UserError while there is none. */
  async enrolled(id: string): Promise<Omit<PasskeyRecord, "kind" | "decidesFromMs">> {
    const open = this.#find(id);
    if (open !== undefined && open.kind === "enrol") await this.#settled(open);
    if (open?.made === undefined)
      throw new UserError("the passkey is not made yet", {
        hint: "finish it on the page in your browser",
        code: open === undefined ? "not-found" : "unfinished",
      });
    this.#open.delete(id);
    return open.made;
  }

  #find(id: string): Open | undefined {
    const now = this.#steadyMs();
    for (const [each, { untilMs }] of this.#open) if (untilMs <= now) this.#open.delete(each);
    return this.#open.get(id);
  }

  #add(asked: Omit<Open, "id" | "done" | "state">): Open {
    this.#find("");
    const oldest = this.#open.size >= WAITING_MAX ? this.#open.keys().next().value : undefined;
    if (oldest !== undefined) this.#open.delete(oldest);
    const id = randomBytes(16).toString("hex");
    const open: Open = { ...asked, id, done: Promise.withResolvers(), state: "open" };
    this.#open.set(id, open);
    return open;
  }

  #asks({ id }: Open): PresenceNeeded {
    const url = this.#url(id);
    return new PresenceNeeded("this needs a touch of your passkey", {
      hint: `open ${url}`,
      question: { ask: "passkey", ceremony: id, url },
    });
  }

  #url(id: string): string {
    return `${this.#origin}/${id}`;
  }

  get #origin(): string {
    return `http://localhost:${this.#pages?.port ?? 0}`;
  }

  /** Waits for the touch, for a moment: a client asks again. */
  async #settled(open: Open): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, WAIT_MS);
    await Promise.race([open.done.promise, promise]);
    clearTimeout(timer);
  }

  /** Checks the browser's answer. Throws the problem, for the page to show. */
  async #finish(id: string, answer: unknown): Promise<void> {
    const open = this.#find(id);
    if (open === undefined || open.state !== "open")
      throw new UserError("this was already answered, or it has expired");
    open.state = "busy";
    try {
      if (open.factor === undefined)
        open.made = await this.#register(open, answer as RegistrationResponseJSON);
      else await this.#verify(open, open.factor, answer as AuthenticationResponseJSON);
    } catch (error) {
      // A wrong answer ends the ceremony: there is one try for each challenge.
      this.#open.delete(id);
      this.#parts.failed();
      throw error;
    }
    open.state = "done";
    open.done.resolve();
  }

  async #register(
    open: Open,
    response: RegistrationResponseJSON,
  ): Promise<Omit<PasskeyRecord, "kind" | "decidesFromMs">> {
    const { verifyRegistrationResponse } = await import("@simplewebauthn/server");
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response,
      expectedChallenge: base64url(open.challenge),
      expectedOrigin: this.#origin,
      expectedRPID: RP_ID,
      requireUserVerification: true,
    });
    if (!verified || registrationInfo === undefined) throw new UserError("the passkey did not verify");
    const { credential } = registrationInfo;
    return {
      credentialId: credential.id,
      publicKey: base64url(credential.publicKey),
      signatures: credential.counter,
      port: this.#pages?.port ?? 0,
    };
  }

  async #verify(open: Open, factor: PasskeyRecord, response: AuthenticationResponseJSON): Promise<void> {
    const { verifyAuthenticationResponse } = await import("@simplewebauthn/server");
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      expectedChallenge: base64url(open.challenge),
      expectedOrigin: this.#origin,
      expectedRPID: RP_ID,
      requireUserVerification: true,
      credential: {
        id: factor.credentialId,
        publicKey: new Uint8Array(Buffer.from(factor.publicKey, "base64url")),
        counter: factor.signatures,
      },
    });
    if (!verified) throw new UserError("the passkey did not verify");
    this.#parts.used(factor, authenticationInfo.newCounter);
  }
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function sha256(...parts: readonly (Uint8Array | string)[]): Uint8Array<ArrayBuffer> {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
