// The roots of macOS, by a `security` that answers as Apple's does: keychains with and without
// local authorities, a program that hangs, fails or says nothing. And a Linux store that is being
// written while it is read.

import { expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as tls from "node:tls";
import { Authority } from "../../src/ca/authority.ts";
import { parseDenied, parseDeniedFingerprints } from "../../src/host/trust/keychain-roots.ts";
import { systemRoots } from "../../src/host/trust/system-roots.ts";
import { ensureStateDirectory } from "../../src/state/files.ts";
import { statePaths } from "../../src/state/paths.ts";
import { pemCertificates } from "../../src/text/pem-certificates.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const LIMIT_MS = 300_000;
/** As Apple's keychain has them: many, none of them iddio's. */
const APPLE = tls.rootCertificates.slice(0, 100).flatMap(pemCertificates);

/**
 * The answers of `security`: a file a keychain, the words of dump-trust-settings and the list of
 * trust-settings-export of each domain, and which certificates are accepted. verify-cert refuses a
 * certificate that is not told to be trusted: an authority that merely lies in a keychain, and with the
 * policy for TLS also Apple's own roots.
 */
const SECURITY = `#!/bin/sh
echo "$*" >>"$HOME/calls"
case $1 in
find-certificate)
  case $4 in
  */SystemRootCertificates.keychain) cat "$HOME/apple" ;;
  */System.keychain) cat "$HOME/system" ;;
  */login.keychain-db) cat "$HOME/login" ;;
  esac 2>/dev/null || { echo "security: SecKeychainSearchCopyNext: The specified item could not be found in the keychain." >&2; exit 44; } ;;
trust-settings-export)
  for file do :; done
  case $2 in -d) from="$HOME/export-d" ;; *) from="$HOME/export" ;; esac
  cp "$from" "$file" 2>/dev/null || { echo "SecTrustSettingsCreateExternalRepresentation: The authorization was denied since no user interaction was possible." >&2; exit 1; } ;;
dump-trust-settings)
  cat "$HOME/settings$2" 2>/dev/null || { echo "SecTrustSettingsCopyCertificates: No Trust Settings were found." >&2; exit 1; } ;;
verify-cert)
  for file do :; done
  grep -qF "$(sed -n 2p "$file")" "$HOME/trusted" 2>/dev/null && { echo "...certificate verification successful."; exit 0; }
  echo "Cert Verify Result: CSSMERR_TP_NOT_TRUSTED" >&2; exit 1 ;;
esac
`;

async function mac(files: Readonly<Record<string, string>>, security = SECURITY) {
  const directory = await temporaryDirectory();
  const bin = join(directory.path, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "security"), security);
  await chmod(join(bin, "security"), 0o755);
  // plutil, for lists that are XML already.
  await writeFile(join(bin, "plutil"), '#!/bin/sh\nfor file do :; done\nexec cat "$file"\n', { mode: 0o755 });
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory.path, name), text);
  const env = { HOME: directory.path, PATH: "/usr/bin:/bin", IDDIO_TEST_TOOLS: bin };
  return {
    path: directory.path,
    roots: (bundles: readonly string[] = []) => systemRoots({ env, platform: "darwin", bundles }),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

async function authorityPem(home: string): Promise<string> {
  const paths = statePaths({ HOME: home });
  await ensureStateDirectory(paths);
  return (await Authority.open(paths)).certificatePem.trim();
}

const joined = (roots: readonly string[]) => `${roots.join("\n")}\n`;

test(
  "a trusted iddio CA in the keychain takes no root away, and does not become one",
  async () => {
    await using home = await mac({ apple: joined(APPLE) });
    const own = await authorityPem(home.path);
    await writeFile(join(home.path, "system"), `${own}\n`);
    await writeFile(join(home.path, "trusted"), `${own}\n`);
    expect(await home.roots()).toEqual(APPLE);
  },
  LIMIT_MS,
);

test(
  "a local authority counts when macOS verifies it, not for lying in a keychain",
  async () => {
    const [company = "", stranger = "", users = ""] = tls.rootCertificates.slice(-3).flatMap(pemCertificates);
    await using home = await mac({
      apple: joined(APPLE),
      system: joined([company, stranger]),
      // attributes and remarks, as older versions print between the blocks
      login: `keychain: "login"\n${users.replaceAll("\n", "\r\n")}\n`,
      trusted: joined([company, users]),
    });
    expect(await home.roots()).toEqual([...APPLE, company, users]);
  },
  LIMIT_MS,
);

const ROOTS = tls.rootCertificates.flatMap(pemCertificates);
const commonName = (pem: string) => /^CN=(.*)$/m.exec(new X509Certificate(pem).subject)?.[1] ?? "";
const fingerprint = (pem: string) => new X509Certificate(pem).fingerprint.replaceAll(":", "");

/** `security dump-trust-settings`: macOS 13 to 27 write it so; a root that is trusted for everything has no settings. */
const settingsOf = (...certificates: readonly (readonly [name: string, result?: string])[]) =>
  [
    `Number of trusted certs = ${certificates.length}`,
    ...certificates.flatMap(([name, result], index) => [
      `Cert ${index}: ${name}`,
      `   Number of trust settings : ${result === undefined ? 0 : 1}`,
      ...(result === undefined
        ? []
        : [
            "   Trust Setting 0:",
            "      Policy OID            : SSL",
            "      Allowed Error         : CSSMERR_TP_CERT_EXPIRED",
            `      Result Type           : kSecTrustSettingsResult${result}`,
          ]),
    ]),
    "",
  ].join("\n");

/** The output of trust-settings-export: certificates by SHA-1, results by number; 3 denies. */
const exportOf = (
  ...certificates: readonly (readonly [fingerprint: string, result: number])[]
) => `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>trustList</key><dict>
${certificates
  .map(
    ([sha1, result]) => `\t<key>${sha1}</key>
\t<dict>
\t\t<key>issuerName</key><data>MA==</data>
\t\t<key>modDate</key><date>2026-11-29T09:00:00Z</date>
\t\t<key>trustSettings</key>
\t\t<array><dict>
\t\t\t<key>kSecTrustSettingsPolicy</key><data>KoZIhvdjZAED</data>
\t\t\t<key>kSecTrustSettingsResult</key>
\t\t\t<integer>${result}</integer>
\t\t</dict></array>
\t</dict>`,
  )
  .join("\n")}
</dict><key>trustVersion</key><integer>1</integer></dict></plist>
`;

test(
  "a root of Apple's that somebody never trusts is left out, in either domain; one of the same name is not",
  async () => {
    const names = ROOTS.map(commonName);
    const shared = names.find((name, index) => name !== "" && names.indexOf(name) !== index) ?? "";
    const [denied = "", namesake = ""] = ROOTS.filter((pem) => commonName(pem) === shared);
    expect(namesake).not.toBe("");
    const settings = settingsOf([shared, "Deny"], ["Corporate Root"], ["ISRG Root X2", "TrustRoot"]);
    expect(parseDenied(settings)).toEqual([shared]);
    const list = exportOf([fingerprint(ROOTS[0] ?? ""), 1], [fingerprint(denied), 3], ["0".repeat(40), 3]);
    expect(parseDeniedFingerprints(list)).toEqual([fingerprint(denied), "0".repeat(40)]);
    const others = ROOTS.filter((pem) => pem !== denied);
    for (const domain of ["", "-d"]) {
      await using home = await mac({
        apple: joined(ROOTS),
        [`settings${domain}`]: settings,
        [`export${domain}`]: list,
      });
      expect(await home.roots()).toEqual(others);
    }
    // Where the list is not to be had, everything of that name is left out.
    await using home = await mac({ apple: joined(ROOTS), settings });
    expect(await home.roots()).toEqual(ROOTS.filter((pem) => commonName(pem) !== shared));
  },
  LIMIT_MS,
);

test(
  "without Apple's keychain the roots come from /etc/ssl/cert.pem, then from the runtime: never fewer than 50",
  async () => {
    const builtIn = tls.rootCertificates.flatMap(pemCertificates);
    for (const security of [
      "#!/bin/sh\nexit 1\n",
      "#!/bin/sh\nexit 0\n",
      `#!/bin/sh\nprintf '%s' '${APPLE[0]}'\n`,
    ]) {
      await using home = await mac(
        { "cert.pem": joined(APPLE), "short.pem": joined(APPLE.slice(0, 49)) },
        security,
      );
      expect((await home.roots([join(home.path, "cert.pem")])).slice(0, 100)).toEqual(APPLE);
      const short = await home.roots([join(home.path, "short.pem")]);
      expect(short.slice(0, builtIn.length)).toEqual(builtIn);
    }
  },
  LIMIT_MS,
);

test.concurrent(
  "a security that never answers costs its time-out and no root",
  async () => {
    await using home = await mac({}, "#!/bin/sh\nexec sleep 600\n");
    const started = performance.now();
    expect((await home.roots()).length).toBeGreaterThanOrEqual(50);
    expect(performance.now() - started).toBeLessThan(50_000);
  },
  LIMIT_MS * 2,
);

test.concurrent(
  "a trustd that hangs costs its time-out once, not for each authority",
  async () => {
    const hanging = SECURITY.replace("verify-cert)\n", "verify-cert)\n  exec sleep 600 ;;\nnever)\n");
    await using home = await mac({ apple: joined(APPLE), system: joined(ROOTS.slice(-40)) }, hanging);
    const started = performance.now();
    expect(await home.roots()).toEqual(APPLE);
    expect(performance.now() - started).toBeLessThan(25_000);
  },
  LIMIT_MS * 2,
);

test("a Linux store that is being written gives up no built-in root that the last bundle had", async () => {
  await using directory = await temporaryDirectory();
  const [store, kept] = [join(directory.path, "store.pem"), join(directory.path, "kept.pem")];
  const builtIn = tls.rootCertificates.flatMap(pemCertificates);
  const foreign = await authorityPem(directory.path);
  await writeFile(store, joined(builtIn.slice(0, 4)));
  await writeFile(kept, joined([...builtIn.slice(1), foreign]));
  const left: number[] = [];
  const onCollapse = (roots: number) => void left.push(roots);
  const options = { env: {}, platform: "linux", bundles: [store], kept, onCollapse } as const;
  const roots = await systemRoots(options);
  expect(new Set(roots)).toEqual(new Set(builtIn));
  expect(left).toEqual([4]);
  // Anyone who writes to the user's bundle does not become a root of the upstreams.
  expect(roots).not.toContain(foreign);
  // A machine that has always trusted few is taken at its word.
  await writeFile(kept, joined(builtIn.slice(0, 5)));
  expect(await systemRoots(options)).toEqual(builtIn.slice(0, 4));
  expect(left).toEqual([4]);
});
