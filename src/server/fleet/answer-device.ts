// Answers what devices call. Everything about a call but its function is here: its size, its rate,
// its sender, its shape. A call and its changes are one transaction.

import {
  type AnyFleetEndpoint,
  FLEET_ENDPOINTS,
  type FleetCall,
  type FleetInput,
} from "../../api/fleet/protocol.ts";
import { takeApprovals } from "../approvals/held.ts";
import { Fork, markFork, takeAudit } from "../audit/intake.ts";
import { Problem } from "../http/problem.ts";
import { RateLimit } from "../http/rate-limit.ts";
import { isLargeBody, readJson, readOctets } from "../http/read-body.ts";
import type { ServerParts } from "../parts.ts";
import { authenticate, type DeviceClaim, readClaim } from "./device.ts";
import { enroll } from "./enroll.ts";
import { type DeviceCall, policy, postflight, preflight } from "./sync.ts";
import { waitForNews } from "./wait.ts";

type InTransaction = Exclude<FleetCall, "enroll" | "wait">;

const CALLS: { readonly [C in InTransaction]: (call: DeviceCall, input: FleetInput<C>) => Promise<object> } =
  {
    preflight,
    audit: takeAudit,
    policy,
    postflight,
    approvals: takeApprovals,
  };

const BY_PATH: ReadonlyMap<string, FleetCall> = new Map(
  Object.entries(FLEET_ENDPOINTS).map(([name, { path }]) => [path, name as FleetCall]),
);

/** Answers the calls of devices. A server has one of these, because it counts their rate. */
export class DeviceCalls {
  readonly #parts: ServerParts;
  // A week of rows in batches of a thousand must come through; a device that asks in a loop must not.
  readonly #ofDevices = new RateLimit(50, 400);
  // Many machines of a company share an address, and are enrolled on one day.
  readonly #ofStrangers = new RateLimit(10, 400);

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /** The value of the reply, for a path below `/fleet/v1/`; throws the problem. `onlyTenant` is the one that the address names. */
  async answer(
    path: string,
    request: Request,
    from: string,
    onlyTenant: string | undefined,
  ): Promise<object> {
    const name = BY_PATH.get(path);
    if (name === undefined) throw new Problem(404, "bad-input", "there is no such call");
    const endpoint: AnyFleetEndpoint = FLEET_ENDPOINTS[name];
    if (request.method !== "POST") throw new Problem(405, "bad-input", "every call is a POST");
    if (name === "enroll") {
      this.#ofStrangers.require(from, this.#parts.nowMs());
      const octets = await readOctets(request, endpoint.inputMaxBytes);
      return enroll(this.#parts, readJson(FLEET_ENDPOINTS.enroll.input, octets, "open"), onlyTenant);
    }
    const claim = readClaim(request.headers);
    if (onlyTenant !== undefined && claim.tenant !== onlyTenant)
      throw new Problem(401, "unknown-device", "this server knows no such device");
    // The claim is not proved yet: who makes one up elsewhere spends his own address's allowance, not the device's.
    this.#ofDevices.require(`${claim.tenant}/${claim.device}/${from}`, this.#parts.nowMs());
    if (isLargeBody(request)) await this.#requireKnown(claim);
    const octets = await readOctets(request, endpoint.inputMaxBytes);
    if (name === "wait") return this.#wait(claim, path, octets, request.signal);
    return this.#inTransaction(name, claim, path, octets, endpoint);
  }

  /** Names of devices cannot be guessed: whoever knows none does not make the server keep megabytes. */
  async #requireKnown({ tenant, device }: DeviceClaim): Promise<void> {
    const [found] = await this.#parts.database.run({ tenant }, (tx) =>
      tx.rows("select id from devices where id = $1", [device]),
    );
    if (found === undefined) throw new Problem(401, "unknown-device", "this server knows no such device");
  }

  async #inTransaction(
    name: InTransaction,
    claim: DeviceClaim,
    path: string,
    octets: Uint8Array,
    endpoint: AnyFleetEndpoint,
  ): Promise<object> {
    const { database } = this.#parts;
    const nowMs = this.#parts.nowMs();
    try {
      const reply = await database.run({ tenant: claim.tenant }, async (tx) => {
        const device = await authenticate(tx, claim, path, octets, nowMs);
        const input = readJson(endpoint.input, octets, "open");
        const call: DeviceCall = { parts: this.#parts, tenant: claim.tenant, device, tx, nowMs };
        return CALLS[name](call, input as never);
      });
      if (name === "approvals") this.#parts.notifying?.hurry(claim.tenant);
      return reply;
    } catch (error) {
      if (error instanceof Fork)
        await database.run({ tenant: claim.tenant }, (tx) => markFork(tx, error, nowMs));
      throw error;
    }
  }

  async #wait(claim: DeviceClaim, path: string, octets: Uint8Array, signal: AbortSignal): Promise<object> {
    const { database } = this.#parts;
    await database.run({ tenant: claim.tenant }, (tx) =>
      authenticate(tx, claim, path, octets, this.#parts.nowMs()),
    );
    const input = readJson(FLEET_ENDPOINTS.wait.input, octets, "open");
    return waitForNews(this.#parts, claim, input, signal);
  }
}
