// A control plane of the contract in src/api/fleet, small enough to misbehave on purpose: it signs
// what it is told to, with whatever key, and answers late, too much, or nonsense. Requests that are
// not signed by the device are refused.

import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import type { FleetCall, HeldApproval, PolicyPosition, SignedText } from "../../../src/api/fleet/protocol.ts";
import {
  isRequestSigned,
  readDeviceKey,
  SIGNATURE_HEADERS,
  writePublicKey,
} from "../../../src/api/fleet/request-signature.ts";
import { type Payload, policyDigest, rowHash, signPayload } from "../../../src/api/fleet/signed.ts";
import type { Enrolment } from "../../../src/features/fleet/enrolment.ts";
import { eventually } from "../../support/eventually.ts";

const TENANT = "t_acme";
const DEVICE = "d_0001";
const LONG_MS = 60_000;

type Input = Readonly<Record<string, unknown>>;

/** The content of a bundle; the rest is made up. */
export interface BundleSpec extends Partial<Payload<"bundle">> {
  readonly policy: string;
  /** Signs with a key that nobody pinned. */
  readonly isForged?: boolean;
}

/** The stand-in. */
export interface FleetStandIn extends AsyncDisposable {
  readonly url: string;
  /** As the machine has it after it enrolled. */
  readonly enrolment: Enrolment;
  readonly token: string;
  /** The waiting approvals, by id, as they were offered last. */
  readonly held: Map<string, HeldApproval>;
  readonly ended: { readonly id: string; readonly outcome: string }[];
  /** Lines of rows that were stored, in order. */
  readonly rows: string[];
  /** Calls so far. */
  readonly calls: FleetCall[];
  /** The device's message at the end of its last sync. */
  lastPostflight: Input | undefined;
  device: "active" | "revoked";
  /** Answers calls in place of what they do; undefined: as always. */
  misbehave: ((call: FleetCall) => Response | Promise<Response> | undefined) | undefined;
  /** Offers a bundle from now on. */
  offer(spec: BundleSpec): void;
  /** Hands out texts with the next answer to `wait`. */
  decide(...decisions: SignedText[]): void;
  decision(held: HeldApproval, change?: Partial<Payload<"decision">>, isForged?: boolean): SignedText;
  /** Resolves with the offer once one waits that fits. */
  heldWhen(fits?: (held: HeldApproval) => boolean): Promise<HeldApproval>;
  /** Forgets rows from here on, as a database that was put back. */
  forgetRows(from: number): void;
}

/** Starts it. `port` 0 is any. */
export function startFleetServer({ syncMs = 60_000 } = {}): FleetStandIn {
  const keys = generateKeyPairSync("ed25519");
  const forged = generateKeyPairSync("ed25519");
  const device = generateKeyPairSync("ed25519");
  const held = new Map<string, HeldApproval>();
  const ended: { id: string; outcome: string }[] = [];
  const rows: string[] = [];
  const calls: FleetCall[] = [];
  const decisions: SignedText[] = [];
  const sync_ms = syncMs;
  let offered: { readonly position: PolicyPosition; readonly bundle: SignedText } | undefined;
  let publicKey: KeyObject | undefined = device.publicKey;
  let chain = "";
  let hash = "0".repeat(64);
  let hashes: string[] = [];
  const waiters = new Set<() => void>();
  const token = `idet_${TENANT}_${randomBytes(24).toString("base64url")}`;

  const standing = () => ({ device: server.device, server_time_ms: Date.now() });
  const problem = (status: number, code: string, more: object = {}) =>
    Response.json({ title: code, status, code, ...more }, { status });
  const news = () => (offered === undefined ? {} : { policy: offered.position });

  const perform = async (call: FleetCall, input: Input): Promise<Response> => {
    switch (call) {
      case "enroll": {
        if (input.token !== token) return problem(403, "bad-token");
        publicKey = readDeviceKey(String(input.public_key));
        const { tenant, tenant_name, device_id, owner, epoch } = server.enrolment;
        const whom = { tenant, tenant_name, device_id, owner, epoch, keys: server.enrolment.keys };
        return Response.json({ ...standing(), ...whom, sync_ms });
      }
      case "preflight":
        return Response.json({ ...standing(), sync_ms, ...news(), audit_acked_seq: rows.length });
      case "policy":
        return Response.json({ ...standing(), ...(offered && { bundle: offered.bundle }) });
      case "postflight":
        server.lastPostflight = input;
        return Response.json(standing());
      case "audit": {
        const { from_seq, prev, lines } = input as { from_seq: number; prev: string; lines: string[] };
        if (input.chain !== chain) {
          chain = String(input.chain);
          hash = "0".repeat(64);
          hashes = [];
          if (from_seq !== 1) return problem(409, "gap", { acked_seq: 0 });
        }
        const acked = hashes.length;
        if (from_seq > acked + 1) return problem(409, "gap", { acked_seq: acked });
        const before = from_seq === 1 ? "0".repeat(64) : hashes[from_seq - 2];
        if (before !== prev) return problem(409, "fork");
        for (const line of lines.slice(acked + 1 - from_seq)) {
          hash = rowHash(hashes.at(-1) ?? "0".repeat(64), line);
          hashes.push(hash);
          rows.push(line);
        }
        return Response.json({ ...standing(), acked_seq: hashes.length });
      }
      case "approvals": {
        const {
          held: fresh,
          ended: over,
          waiting,
        } = input as {
          held: HeldApproval[];
          ended: { id: string; outcome: string }[];
          waiting?: string[];
        };
        for (const each of fresh) held.set(each.id, each);
        for (const each of over) {
          held.delete(each.id);
          ended.push(each);
        }
        if (waiting !== undefined)
          for (const [id, { nonce }] of held) if (!waiting.includes(nonce)) held.delete(id);
        return Response.json(standing());
      }
      case "wait": {
        if (decisions.length === 0 && !isNews(input)) await nextNews(Math.min(Number(input.wait_ms), 2_000));
        const out = decisions.splice(0);
        return Response.json({ ...standing(), ...news(), decisions: out, cursor: Date.now() });
      }
    }
  };
  const isNews = ({ policy }: Input) => JSON.stringify(policy) !== JSON.stringify(offered?.position);
  const nextNews = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      waiters.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  const wake = () => {
    for (const each of waiters) each();
    waiters.clear();
  };

  const http = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 120,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const call = pathname.replace("/t/acme/fleet/v1/", "") as FleetCall;
      const body = await request.text();
      calls.push(call);
      const instead = await server.misbehave?.(call);
      if (instead !== undefined) return instead;
      if (call !== "enroll" && !isSigned(request.headers, `/fleet/v1/${call}`, body))
        return problem(401, "bad-signature");
      return perform(call, JSON.parse(body) as Input);
    },
  });
  const isSigned = (headers: Headers, path: string, body: string): boolean => {
    const of = (name: string) => headers.get(name) ?? "";
    const stamp = {
      tenant: of(SIGNATURE_HEADERS.tenant),
      device: of(SIGNATURE_HEADERS.device),
      timeMs: Number(of(SIGNATURE_HEADERS.time)),
      nonce: of(SIGNATURE_HEADERS.nonce),
      path,
    };
    return (
      publicKey !== undefined && isRequestSigned(stamp, body, of(SIGNATURE_HEADERS.signature), publicKey)
    );
  };
  const signer = (isForged: boolean) => ({
    id: "k1",
    privateKey: isForged ? forged.privateKey : keys.privateKey,
  });

  const server: FleetStandIn = {
    url: `http://127.0.0.1:${http.port}/t/acme`,
    token,
    held,
    ended,
    rows,
    calls,
    lastPostflight: undefined,
    device: "active",
    misbehave: undefined,
    enrolment: {
      url: `http://127.0.0.1:${http.port}/t/acme`,
      tenant: TENANT,
      tenant_name: "Acme",
      device_id: DEVICE,
      owner: "p_owner",
      epoch: 1,
      keys: [{ id: "k1", public_key: writePublicKey(keys.publicKey) }],
      private_key: String(device.privateKey.export({ format: "pem", type: "pkcs8" })),
      sync_ms,
    },
    offer({ isForged = false, ...spec }) {
      const bundle: Payload<"bundle"> = {
        tenant: TENANT,
        kind: "enforced",
        epoch: 1,
        revision: (offered?.position.revision ?? 0) + 1,
        digest: policyDigest(spec.policy),
        central_tiers: [],
        issued_ms: Date.now(),
        expires_ms: Date.now() + 3_600_000,
        max_age_ms: 0,
        ...spec,
      };
      const { epoch, revision, digest } = bundle;
      offered = {
        position: { epoch, revision, digest },
        bundle: signPayload("bundle", bundle, signer(isForged)),
      };
      wake();
    },
    decide(...texts) {
      decisions.push(...texts);
      wake();
    },
    decision({ id, digest, nonce }, change = {}, isForged = false) {
      const payload: Payload<"decision"> = {
        ...{ tenant: TENANT, device: DEVICE, approval: id, digest, nonce },
        ...{ verb: "allow", for_ms: 0, by: "Ada", by_id: "p_ada", reason: "", decided_ms: Date.now() },
        expires_ms: Date.now() + 60_000,
        ...change,
      };
      return signPayload("decision", payload, signer(isForged));
    },
    async heldWhen(fits = () => true) {
      const found = await eventually(
        async () => [...held.values()].find(fits),
        (each) => each !== undefined,
        LONG_MS,
      );
      if (found === undefined) throw new Error("nothing waits");
      return found;
    },
    forgetRows(from) {
      hashes.splice(from);
      rows.splice(from);
    },
    async [Symbol.asyncDispose]() {
      wake();
      await http.stop(true);
    },
  };
  return server;
}
