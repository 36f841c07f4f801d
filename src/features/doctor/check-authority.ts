// doctor: the authority, who trusts it, and the bundle that clients are pointed at. Reads
// certificates with node:crypto only: the gateway's own rules for chains are not applied here.

import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type { CheckContext, Finding, Repair } from "../../cli/kit/check.ts";
import { readCertificate } from "../../host/trust/trust.ts";
import { FEWEST_ROOTS } from "../../model/root-count.ts";

const DAY_MS = 86_400_000;
const EXPIRES_SOON_DAYS = 30;

/** Whether certificate and key are there, belong together and are in their time. */
export async function checkAuthority({ paths, nowMs }: CheckContext): Promise<Finding> {
  const about = { check: "ca", lookedAt: paths.caCertificate };
  // Anyone who had the old one trusted wants the new one trusted.
  const isMarked = (await readIfThere(paths.caTrusted))?.trim() === "true";
  const repairs: readonly Repair[] = [
    { kind: "authority" },
    ...(isMarked ? [{ kind: "trust" } as const] : []),
  ];
  const [certificate, key] = await Promise.all([readIfThere(paths.caCertificate), readIfThere(paths.caKey)]);
  if (certificate === undefined && key === undefined)
    return {
      ...about,
      verdict: "fail",
      detail: "not there",
      fix: "iddio repair makes one",
      repairs,
    };
  const problem =
    certificate === undefined
      ? "the certificate is missing"
      : key === undefined
        ? `${paths.caKey} is missing`
        : pairProblem(certificate, key, nowMs);
  if (problem !== undefined)
    return {
      ...about,
      verdict: "fail",
      detail: problem,
      fix: problem.startsWith("expired")
        ? "iddio repair makes a new authority, which clients must then trust"
        : "restore both files from a backup, or iddio repair makes a new authority, which clients must then trust",
      repairs,
    };
  const end = Date.parse(new X509Certificate(certificate ?? "").validTo);
  const days = Math.floor((end - nowMs) / DAY_MS);
  const until = new Date(end).toISOString().slice(0, 10);
  if (days < EXPIRES_SOON_DAYS)
    return {
      ...about,
      verdict: "warn",
      detail: `expires on ${until}`,
      fix: "iddio repair makes a new authority, which clients must then trust",
      repairs,
    };
  return { ...about, verdict: "ok", detail: `valid until ${until}` };
}

function pairProblem(certificatePem: string, keyPem: string, nowMs: number): string | undefined {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(certificatePem);
  } catch {
    return "the certificate is damaged";
  }
  try {
    const own = createPublicKey(createPrivateKey(keyPem)).export({ type: "spki", format: "der" });
    if (!own.equals(certificate.publicKey.export({ type: "spki", format: "der" })))
      return "key and certificate do not belong together";
  } catch {
    return "the key is damaged";
  }
  if (Date.parse(certificate.validTo) <= nowMs) return `expired on ${certificate.validTo}`;
  if (Date.parse(certificate.validFrom) > nowMs) return `valid only from ${certificate.validFrom}`;
  return undefined;
}

/** Whether the bundle holds our certificate and everything that the system trusts today. */
export async function checkBundle({ paths, systemRoots }: CheckContext): Promise<Finding> {
  const about = { check: "bundle", lookedAt: paths.bundle };
  const repairs = [{ kind: "bundle" }] as const;
  const text = await readIfThere(paths.bundle);
  if (text === undefined)
    return { ...about, verdict: "fail", detail: "not there", fix: "iddio repair writes it", repairs };
  const held = new Set(blocksOf(text));
  const own = blocksOf((await readIfThere(paths.caCertificate)) ?? "")[0];
  const fix = "iddio repair writes it again";
  if (own !== undefined && !held.has(own))
    return { ...about, verdict: "fail", detail: "the iddio CA is not in it", fix, repairs };
  const missing = systemRoots.flatMap(blocksOf).filter((each) => each !== own && !held.has(each)).length;
  const age = await stat(paths.bundle);
  const written = age.mtime.toISOString().slice(0, 10);
  if (held.size < FEWEST_ROOTS)
    return {
      ...about,
      verdict: "fail",
      detail: `holds ${held.size} certificates only; every system trusts more than ${FEWEST_ROOTS}`,
      fix: "restore this system's certificates (Linux: the package ca-certificates), then: iddio repair",
      repairs,
    };
  if (missing > 0)
    return {
      ...about,
      verdict: missing > systemRoots.length / 2 ? "fail" : "warn",
      detail: `written on ${written}; lacks ${missing} certificates that the system trusts today`,
      fix,
      repairs,
    };
  return { ...about, verdict: "ok", detail: `${held.size} certificates, the system's and iddio's` };
}

/** Whether the system's own store is as the marker says. Nothing that uses the bundle needs it. */
export async function checkTrust({ paths, trustPlaces, platform }: CheckContext): Promise<Finding> {
  const about = {
    check: "trust",
    lookedAt: trustPlaces.map(({ name }) => name).join(", ") || "no known place",
  };
  const pem = await readIfThere(paths.caCertificate);
  if (pem === undefined) return { ...about, verdict: "skip", detail: "there is no certificate to trust" };
  const isMarked = (await readIfThere(paths.caTrusted))?.trim() === "true";
  const certificate = await readCertificate(paths.caCertificate);
  const without: string[] = [];
  for (const place of trustPlaces)
    if (!place.isBrowser && !(await place.isTrusted(certificate))) without.push(place.name);
  if (without.length === 0 && trustPlaces.some(({ isBrowser }) => !isBrowser))
    return { ...about, verdict: "ok", detail: "trusted" };
  if (isMarked)
    return {
      ...about,
      verdict: "fail",
      detail: `no longer trusted by ${without.join(", ")}`,
      fix: "iddio repair --trust-ca",
      repairs: [{ kind: "trust" }],
    };
  if (platform === "darwin")
    return { ...about, verdict: "warn", detail: "not trusted", fix: "iddio repair --trust-ca" };
  return { ...about, verdict: "ok", detail: "not asked for: command-line tools use the bundle" };
}

function blocksOf(text: string): string[] {
  const blocks = text.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g);
  return [...blocks].map(([, body = ""]) => body.replace(/\s+/g, ""));
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "latin1").catch(() => undefined);
}
