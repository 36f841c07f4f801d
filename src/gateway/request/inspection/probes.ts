// Names that exist for a minute and that nothing but the daemon answers to: `doctor --live`
// sends a client to one and learns from here how far it came. They are below .invalid
// (RFC 6761), so a client that is not routed through iddio reaches nobody at all.

import { randomBytes } from "node:crypto";
import type { ProbedRequest, ProbeReport } from "../../../api/daemon-reports.ts";
import type { Protocol } from "../../../model/protocol.ts";
import { UserError } from "../../../model/user-error.ts";

const LIFE_MS = 2 * 60_000;
const PROBES_MAX = 64;
const REQUESTS_MAX = 8;

/** One client's way to the daemon, as far as it has come. */
export class Probe {
  readonly id: string;
  readonly host: string;
  readonly protocol: Protocol;
  /** The host that the client would have talked to; its requests are classified as if to that. */
  readonly standsFor: string;
  readonly untilMs: number;
  #isRouted = false;
  #problem: string | undefined;
  readonly #requests: ProbedRequest[] = [];

  constructor(protocol: Protocol, standsFor: string | undefined, now: number) {
    this.id = `probe_${randomBytes(4).toString("hex")}`;
    this.host = `${this.id.replace("_", "-")}.iddio.invalid`;
    this.protocol = protocol;
    this.standsFor = standsFor ?? this.host;
    this.untilMs = now + LIFE_MS;
  }

  /** The client has asked the proxy for this name. */
  routed(): void {
    this.#isRouted = true;
  }

  /** TLS, or the connection after it, broke off. */
  failed(problem: string): void {
    this.#problem = problem;
  }

  /** A request came: the client has accepted the certificate. */
  requested(request: ProbedRequest): void {
    if (this.#requests.length < REQUESTS_MAX) this.#requests.push(request);
  }

  get report(): ProbeReport {
    return {
      routed: this.#isRouted,
      trusted: this.#requests.length > 0,
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
      requests: this.#requests,
    };
  }
}

/** The probes that are open; one per daemon. */
export class Probes {
  readonly #byHost = new Map<string, Probe>();

  /** Opens one. Throws a UserError when too many are open. */
  start(protocol: Protocol, standsFor: string | undefined, now = Date.now()): Probe {
    for (const [host, probe] of this.#byHost) if (probe.untilMs <= now) this.#byHost.delete(host);
    if (this.#byHost.size >= PROBES_MAX)
      throw new UserError("too many probes are open", { hint: "try again in two minutes" });
    const probe = new Probe(protocol, standsFor, now);
    this.#byHost.set(probe.host, probe);
    return probe;
  }

  /** The probe of a CONNECT name. */
  find(host: string, now = Date.now()): Probe | undefined {
    // Asked for every CONNECT; nearly always there is none.
    if (this.#byHost.size === 0) return undefined;
    const probe = this.#byHost.get(host);
    return probe && probe.untilMs > now ? probe : undefined;
  }

  /** Closes one; gives how far the client came. Throws a UserError when there is none of this id. */
  end(id: string): ProbeReport {
    const probe = [...this.#byHost.values()].find((each) => each.id === id);
    if (probe === undefined) throw new UserError(`there is no probe '${id}'`, { code: "not-found" });
    this.#byHost.delete(probe.host);
    return probe.report;
  }
}
