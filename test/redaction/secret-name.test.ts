// Which names are secrets: the table is the specification.

import { describe, expect, test } from "bun:test";
import {
  isCredentialField,
  isSecretName,
  isSecretParameter,
  wordsOf,
} from "../../src/redaction/secret-name.ts";

const SECRET = `
  WebIdentityToken clientSecret client_secret client-secret SAMLAssertion user[password] user.password
  password Passwd PASSWORD db_password dbPassword masterUserPassword passphrase pass userpass pwd
  access_token accessToken accesstoken id_token refresh_token private_token job-token X-Amz-Security-Token
  apiKey api_key apikey API_KEY APIKey x-goog-api-key secretAccessKey SecretKey private_key privateKey encryptionKey
  subscription-key Ocp-Apim-Subscription-Key functions_key storageKey accountKey SharedAccessKey hmac_key preSharedKey
  signature X-Amz-Signature X-Goog-Signature sig jwt assertion client_assertion credential credentials
  tokens[0] password2 secrets auth basic_auth Authorization otp totp cookie set-cookie .dockerconfigjson client-key-data
  AuthParameters.PASSWORD Parameters.Password.Value SECRET_KEY_BASE GITHUB_TOKEN NPM_TOKEN AWS_SECRET_ACCESS_KEY`;

const PLAIN = `
  name id namespace path key Key objectKey partition_key primaryKeyName SecretId secret_name secretName secretArn token_type
  tokenType passwordResetRequired password_policy next_token nextToken NextToken pageToken page_token continuation-token
  maxTokens max_tokens totalTokens KeyId accessKeyId credentialType signature_version kms_key_id client_id author
  authorize description bypass compass monkey keyboard passenger secretary tokenUrl`;

describe("a name that says", () => {
  for (const name of SECRET.trim().split(/\s+/))
    test(`${name}: secret`, () => expect(isSecretName(name)).toBe(true));
  for (const name of PLAIN.trim().split(/\s+/))
    test(`${name}: nothing of the kind`, () => expect(isSecretName(name)).toBe(false));
});

test("a name is split at case, separators and brackets", () => {
  expect(wordsOf("SAMLAssertion")).toEqual(["saml", "assertion"]);
  expect(wordsOf("user[pass_word]")).toEqual(["user", "pass", "word"]);
  expect(wordsOf("X-Amz-Security-Token")).toEqual(["x", "amz", "security", "token"]);
});

test("short query parameters that are secrets by convention", () => {
  for (const name of ["key", "code", "sig", "auth", "hmac", "PHPSESSID", "sessionid"])
    expect(isSecretParameter(name)).toBe(true);
  for (const name of ["q", "page", "sort_key", "per_page"]) expect(isSecretParameter(name)).toBe(false);
});

const CREDENTIALS = `
  Authorization Proxy-Authorization Cookie X-Vault-Token X-Api-Key Private-Token X-Auth-Key X-Amz-Security-Token DD-API-KEY
  X-Functions-Key Ocp-Apim-Subscription-Key X-Amz-Server-Side-Encryption-Customer-Key X-Goog-Encryption-Key X-Consul-Token
  X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key X-Nomad-Token JOB-TOKEN DPoP X-Ms-Encryption-Key X-Honeycomb-Team-Key`;
const FIELDS = `
  Content-Type Host Accept X-Amz-Copy-Source Destination Idempotency-Key Sec-WebSocket-Key Signature-Input
  Access-Control-Allow-Credentials X-Amz-Server-Side-Encryption-Customer-Algorithm X-Amz-Server-Side-Encryption-Customer-Key-MD5
  X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id X-Goog-User-Project If-Match`;

describe("a header field", () => {
  for (const name of CREDENTIALS.trim().split(/\s+/))
    test(`${name} is a credential`, () => expect(isCredentialField(name)).toBe(true));
  for (const name of FIELDS.trim().split(/\s+/))
    test(`${name} is none`, () => expect(isCredentialField(name)).toBe(false));
});
