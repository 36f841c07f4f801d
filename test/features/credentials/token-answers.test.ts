// Answers that give out a token for a lent credential (STS, SSO, ECR, CodeArtifact, installations
// of GitHub, accounts of Kubernetes and Google), each as its service writes it: the token stays
// here, and what the client gets in its place is good for that place and that run alone.

import { describe, expect, test } from "bun:test";
import { LentTokens } from "../../../src/features/credentials/answers/lent-tokens.ts";
import type { CredentialKind } from "../../../src/features/credentials/kinds.ts";
import type { StoredCredential } from "../../../src/features/credentials/stored-credential.ts";
import { BytesBody } from "../../../src/gateway/message/bytes-body.ts";
import type { LendingRequest } from "../../../src/gateway/request/contracts/credential-release.ts";
import type { Header } from "../../../src/model/request.ts";
import { classifierFor, guessProtocol } from "../../../src/protocols/registry.ts";
import { type Extras, requestOf } from "../../protocols/request-of.ts";

const CANARY = "canaryCANARY0123456789abcdefABCDEF0123456789";
const ACCESS_KEY = "ASIA4ZZZCANARYCANARY";
const FORM: Header = ["Content-Type", "application/x-www-form-urlencoded; charset=utf-8"];
const basic = Buffer.from(`AWS:${CANARY}`).toString("base64");
const json = (value: object) => JSON.stringify(value);
const xml = (name: string) =>
  `<${name}Response><${name}Result><Credentials><AccessKeyId>${ACCESS_KEY}</AccessKeyId><SecretAccessKey>s${CANARY}</SecretAccessKey>` +
  `<SessionToken>t${CANARY}</SessionToken><Expiration>2026-11-29T20:00:00Z</Expiration></Credentials></${name}Result></${name}Response>`;
const STS = "POST https://sts.eu-west-1.amazonaws.com/";
const sts = (name: string): Row => [
  `STS ${name}`,
  "aws",
  STS,
  { headers: [FORM], body: `Action=${name}&Version=2011-06-15` },
  xml(name),
  undefined,
];

type Row = readonly [
  name: string,
  kind: CredentialKind,
  line: string,
  extras: Extras,
  answer: string,
  /** Where the placeholder is good for, and where it is not; undefined: keys, which are told by their signature. */
  goodFor: readonly [there: string, notThere: string] | undefined,
];

const ROWS: readonly Row[] = [
  ...["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot"].map(sts),
  ...["GetSessionToken", "GetFederationToken"].map(sts),
  [
    "STS in JSON",
    "aws",
    STS,
    { headers: [FORM], body: "Action=GetSessionToken&Version=2011-06-15" },
    json({
      Credentials: { AccessKeyId: ACCESS_KEY, SecretAccessKey: `s${CANARY}`, SessionToken: `t${CANARY}` },
    }),
    undefined,
  ],
  [
    // The portal takes a session's token, which is a credential of the kind generic.
    "SSO",
    "generic",
    "GET https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?role_name=r&account_id=111122223333",
    {},
    json({
      roleCredentials: {
        accessKeyId: ACCESS_KEY,
        secretAccessKey: `s${CANARY}`,
        sessionToken: `t${CANARY}`,
        expiration: 1_795_982_400_000,
      },
    }),
    undefined,
  ],
  [
    "ECR",
    "aws",
    "POST https://api.ecr.eu-west-1.amazonaws.com/",
    {
      headers: [
        ["X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"],
        ["Content-Type", "application/x-amz-json-1.1"],
      ],
      body: "{}",
    },
    json({ authorizationData: [{ authorizationToken: basic, proxyEndpoint: "https://x" }] }),
    ["111122223333.dkr.ecr.eu-west-1.amazonaws.com", "111122223333.dkr.ecr.us-east-1.amazonaws.com"],
  ],
  [
    "public ECR",
    "aws",
    "POST https://api.ecr-public.us-east-1.amazonaws.com/",
    {
      headers: [
        ["X-Amz-Target", "SpencerFrontendService.GetAuthorizationToken"],
        ["Content-Type", "application/x-amz-json-1.1"],
      ],
      body: "{}",
    },
    json({ authorizationData: { authorizationToken: basic } }),
    ["public.ecr.aws", "registry.example.org"],
  ],
  [
    "CodeArtifact",
    "aws",
    "POST https://codeartifact.eu-west-1.amazonaws.com/v1/authorization-token?domain=d",
    {},
    json({ authorizationToken: CANARY, expiration: 1_795_982_400 }),
    ["d-111122223333.d.codeartifact.eu-west-1.amazonaws.com", "registry.npmjs.org"],
  ],
  [
    "an installation of GitHub",
    "github",
    "POST https://api.github.com/app/installations/678/access_tokens",
    { headers: [["Content-Type", "application/json"]], body: "{}" },
    json({ token: `ghs_${CANARY}`, expires_at: "2026-11-29T20:00:00Z", permissions: { contents: "read" } }),
    ["api.github.com", "example.org"],
  ],
  [
    "an access token of Google",
    "google",
    "POST https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken",
    { headers: [["Content-Type", "application/json"]], body: '{"scope":["x"]}' },
    json({ accessToken: `ya29.${CANARY}`, expireTime: "2026-11-29T20:00:00Z" }),
    ["storage.googleapis.com", "example.org"],
  ],
];

function lending(
  line: string,
  extras: Extras,
  headers: readonly Header[] = [],
  runId = "run-1",
): LendingRequest {
  const request = requestOf(line, extras);
  return {
    head: { ...request, headers: [...request.headers, ...headers] } as LendingRequest["head"],
    client: { run_id: runId } as LendingRequest["client"],
    lender: { isOwnUser: true, isVerified: true },
    identity: "",
    operation: classifierFor(guessProtocol(request.host)).classify(request),
    body: async () => undefined,
  };
}

async function passed(tokens: LentTokens, kind: CredentialKind, request: LendingRequest, text: string) {
  const credential = {
    name: "lent",
    kind,
    hosts: [],
    origin: { from: "env" },
  } as unknown as StoredCredential;
  expect(tokens.isAsked(credential, request)).toBe(true);
  const answer = tokens.answered(credential, request, {
    ...{ status: 200, statusText: "OK", headers: [], verbatim: undefined, upgraded: undefined },
    body: new BytesBody(Buffer.from(text)),
    finish() {},
  });
  const pieces: Uint8Array[] = [];
  for (let more = await answer.body.next(); more !== undefined; more = await answer.body.next())
    pieces.push(...more);
  return Buffer.concat(pieces).toString("latin1");
}

describe("a token that is given out for a lent credential stays here", () => {
  for (const [name, kind, line, extras, text, goodFor] of ROWS)
    test(name, async () => {
      const rows: string[] = [];
      const tokens = new LentTokens(
        Date.now,
        () => "",
        (credential) => void rows.push(credential),
      );
      const request = lending(line, extras);
      expect(request.operation.tier).not.toBe("observe");
      const seen = await passed(tokens, kind, request, text);
      expect(seen).toHaveLength(text.length);
      for (const secret of [CANARY, ACCESS_KEY, basic]) expect(seen).not.toContain(secret);
      expect(rows).toEqual(["lent"]);
      if (goodFor === undefined) {
        const key = /ASIA[A-Z0-9]{16}/.exec(seen)?.[0] ?? "";
        expect(tokens.keysOf(key, "run-1")?.keys).toEqual({
          ...{ accessKey: ACCESS_KEY, secretKey: `s${CANARY}`, sessionToken: `t${CANARY}` },
        });
        expect(tokens.keysOf(key, "run-2")).toBeUndefined();
        return;
      }
      const value = /"(?:authorizationToken|token|accessToken)":"([^"]*)"/.exec(seen)?.[1] ?? "";
      const decoded = Buffer.from(value, "base64").toString("latin1");
      const placeholder = decoded.startsWith("AWS:") ? decoded.slice(4) : value;
      const use = (host: string, runId: string) =>
        tokens.of(
          lending(
            `GET https://${host}${host === "api.github.com" ? "/user" : "/v2/"}`,
            {},
            [["Authorization", `Bearer ${placeholder}`]],
            runId,
          ),
        );
      const [there, notThere] = goodFor;
      expect(use(there, "run-1")).toEqual([
        { placeholder, token: expect.objectContaining({ text: expect.stringContaining(CANARY) }) },
      ]);
      expect(use(notThere, "run-1")).toContain(`is not for ${notThere}:443`);
      expect(use(there, "run-2")).toContain("is lent to another run");
    });

  test("what cannot be read for certain does not pass", async () => {
    const tokens = new LentTokens(
      Date.now,
      () => "",
      () => {},
    );
    for (const [, kind, line, extras, text] of ROWS)
      for (const other of [
        text.replace(/"?[a-zA-Z]*[tT]oken"?\s*[:>]/, "other:"),
        "{}",
        text.replace(CANARY, "short"),
      ]) {
        const request = lending(line, extras);
        if (other === text) continue;
        await expect(passed(tokens, kind, request, other)).rejects.toThrow("the answer holds a token");
      }
  });
});
