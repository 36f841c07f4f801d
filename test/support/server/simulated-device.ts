// A device as the server sees one: a key, signed calls, a chain of rows. It believes the server no
// more than the daemon does, because it checks with the same code.

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import {
  FLEET_ENDPOINTS,
  type FleetCall,
  type FleetInput,
  type FleetOutput,
  type HeldApproval,
  type ServerKey,
} from "../../../src/api/fleet/protocol.ts";
import { enrollmentOctets, signedHeaders, writePublicKey } from "../../../src/api/fleet/request-signature.ts";
import { rowHash } from "../../../src/api/fleet/signed.ts";

/** An answer as it came. */
export interface FleetAnswer<T> {
  readonly status: number;
  readonly body: T & { readonly code?: string; readonly acked_seq?: number };
}

/** Where the server is, and by which name it is asked. */
export interface ServerAddress {
  readonly url: string;
  readonly host?: string;
}

/** One device. */
export class SimulatedDevice {
  readonly server: ServerAddress;
  readonly key: KeyObject;
  tenant = "";
  id = "";
  keys: readonly ServerKey[] = [];
  chain = randomBytes(8).toString("hex");
  seq = 0;
  head = "0".repeat(64);
  /** Added to the clock. */
  skewMs = 0;

  constructor(server: ServerAddress) {
    this.server = server;
    this.key = generateKeyPairSync("ed25519").privateKey;
  }

  /** Enrols with a token; the answer's problem is thrown. */
  async enroll(token: string, name = "machine"): Promise<FleetOutput<"enroll">> {
    const publicKey = writePublicKey(this.key);
    const input: FleetInput<"enroll"> = {
      token,
      public_key: publicKey,
      proof: sign(null, enrollmentOctets(token, publicKey), this.key).toString("base64"),
      name,
      platform: "linux-x64",
      version: "v1",
    };
    const { status, body } = await this.send<FleetOutput<"enroll">>(
      FLEET_ENDPOINTS.enroll.path,
      JSON.stringify(input),
      {},
    );
    if (status !== 200) throw new Error(body.code);
    this.tenant = body.tenant;
    this.id = body.device_id;
    this.keys = body.keys;
    return body;
  }

  /** One signed call. */
  call<C extends Exclude<FleetCall, "enroll">>(
    name: C,
    input: FleetInput<C>,
    signal?: AbortSignal,
  ): Promise<FleetAnswer<FleetOutput<C>>> {
    const { path } = FLEET_ENDPOINTS[name];
    const body = JSON.stringify(input);
    const headers = signedHeaders({ tenant: this.tenant, device: this.id }, this.key, {
      path,
      body,
      timeMs: Date.now() + this.skewMs,
    });
    return this.send(path, body, headers, signal);
  }

  /** Sends octets with headers. */
  async send<T>(
    path: string,
    body: string,
    headers: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<FleetAnswer<T>> {
    const response = await fetch(`${this.server.url}${path}`, {
      method: "POST",
      body,
      headers: {
        ...headers,
        "content-type": "application/json",
        ...(this.server.host === undefined ? {} : { host: this.server.host }),
      },
      ...(signal === undefined ? {} : { signal }),
    });
    return { status: response.status, body: (await response.json()) as FleetAnswer<T>["body"] };
  }

  /** Sends rows behind those before; keeps its place when they were stored. */
  async sendRows(lines: readonly string[]): Promise<FleetAnswer<FleetOutput<"audit">>> {
    const answer = await this.call("audit", {
      chain: this.chain,
      from_seq: this.seq + 1,
      prev: this.head,
      lines,
    });
    if (answer.status === 200) {
      for (const line of lines) this.head = rowHash(this.head, line);
      this.seq += lines.length;
    }
    return answer;
  }

  /** Goes on behind what the server has, of rows of which some answers were lost. */
  async catchUp(all: readonly string[], ackedSeq: number): Promise<void> {
    this.head = all.slice(0, ackedSeq).reduce(rowHash, "0".repeat(64));
    this.seq = ackedSeq;
  }

  /** Begins a sync. */
  preflight(): Promise<FleetAnswer<FleetOutput<"preflight">>> {
    return this.call("preflight", {
      version: "v1",
      platform: "linux-x64",
      mode: "enforce",
      audit: { chain: this.chain, last_seq: this.seq },
    });
  }

  /** Tells of a request that waits. */
  async hold(change: Partial<HeldApproval> = {}): Promise<HeldApproval> {
    const held: HeldApproval = { ...newHold(), ...change };
    const { status, body } = await this.call("approvals", { held: [held], ended: [] });
    if (status !== 200) throw new Error(body.code);
    return held;
  }
}

/** A request that waits. */
export function newHold(): HeldApproval {
  return {
    id: `appr_${randomBytes(4).toString("hex")}`,
    digest: randomBytes(16).toString("hex"),
    nonce: randomBytes(16).toString("hex"),
    carrier: "http",
    protocol: "kubectl",
    tier: "sensitive",
    command: "pods delete",
    host: "localhost",
    port: 6443,
    labels: { namespace: "payments" },
    rule: "kubectl.rules.escalate",
    reason: "delete removes",
    evidence: [{ label: "Request", text: "DELETE /api/v1/namespaces/payments/pods/web" }],
    client: "kubectl (pid 7), user ada",
    held_ms: Date.now(),
    ends_ms: Date.now() + 600_000,
    is_central: true,
  };
}

/** A row of the audit log. */
export function auditLine(fields: Readonly<Record<string, unknown>> = {}, atMs = Date.now()): string {
  return JSON.stringify({
    timestamp_ms: atMs,
    op: "mitm",
    hash: randomBytes(16).toString("hex"),
    fields: { host: "localhost", protocol: "kubectl", tier: "observe", outcome: "allowed", ...fields },
  });
}
