// Who vouches for an upstream's certificate, where somebody has pinned that. It comes on top of the
// verification that every upstream must pass: a chain that is believed, but whose issuer is another
// one, gets no request.

import { parseCertificate } from "../../ca/certificates/certificate.ts";
import { describeName, readName } from "../../ca/certificates/distinguished-name.ts";
import type { UpstreamTrust } from "./dial/dial.ts";
import type { UpstreamPool, UpstreamTarget } from "./pool.ts";

const ORGANISATION = "2.5.4.10";

/**
 * The organisation that issued a certificate, else the name of the issuer. Authorities sign with several keys in turn,
 * which have names of their own; the organisation stays.
 */
export function issuerOf(der: Uint8Array): string {
  const certificate = parseCertificate(der);
  if ("problem" in certificate) return "";
  const { issuer } = certificate;
  const organisation = readName(issuer)
    .flat()
    .findLast(({ type }) => type === ORGANISATION)?.text;
  return (organisation ?? describeName(issuer).slice(1, -1)).slice(0, 200);
}

const pinned = new WeakMap<UpstreamTrust, Map<string, UpstreamTrust>>();

/** The same target, whose certificate must have this issuer; unchanged for plain HTTP and without an issuer. */
export function withIssuer(target: UpstreamTarget, issuer: string | undefined): UpstreamTarget {
  const { trust } = target;
  if (trust === undefined || issuer === undefined) return target;
  const known = pinned.get(trust) ?? new Map<string, UpstreamTrust>();
  pinned.set(trust, known);
  const own = known.get(issuer) ?? pinnedTrust(trust, issuer);
  known.set(issuer, own);
  return { ...target, trust: own };
}

function pinnedTrust(trust: UpstreamTrust, issuer: string): UpstreamTrust {
  return {
    key: `${trust.key}|issued by ${issuer}`,
    context: () => trust.context(),
    verify(presented, serverName) {
      const verdict = trust.verify(presented, serverName);
      const found = verdict.kind === "verified" ? issuerOf(presented[0] ?? new Uint8Array(0)) : issuer;
      if (found === issuer) return verdict;
      const reason = `'${found}' issued it, and the server that was accepted has one of '${issuer}'`;
      return { kind: "refused", reason, remedy: undefined };
    },
  };
}

/** Connects and asks for nothing: the issuer of the server's certificate. Throws UpstreamError. */
export async function lookUpIssuer(pool: UpstreamPool, target: UpstreamTarget): Promise<string | undefined> {
  const { trust } = target;
  if (trust === undefined) return undefined;
  let found: string | undefined;
  const looking: UpstreamTrust = {
    key: `${trust.key}|issuer`,
    context: () => trust.context(),
    verify(presented, serverName) {
      const verdict = trust.verify(presented, serverName);
      if (verdict.kind === "verified") found = issuerOf(presented[0] ?? new Uint8Array(0));
      return verdict;
    },
  };
  const needs = { versions: ["http/1.1"], isIdempotent: true, mustBeNew: true } as const;
  const connection = await pool.acquire({ ...target, trust: looking }, needs);
  // Of no use to anybody else: it was opened for the look alone.
  if (connection.version === "http/1.1") connection.channel.destroy();
  return found;
}
