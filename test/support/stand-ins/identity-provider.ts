// A stand-in for an identity provider: OpenID Connect with the authorization code flow and PKCE,
// keys that can be changed, and every lie that a test wants told. It logs everybody in whom the
// test names, without asking.

import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** A person of the provider. */
export interface Account {
  readonly sub: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly email?: string;
}

interface Code {
  readonly account: Account;
  readonly nonce: string;
  readonly challenge: string;
  readonly redirectUri: string;
}

/** The wrong answers that a provider may give. */
export interface Lies {
  /** Claims of the ID token instead of the true ones. */
  claims?: Readonly<Record<string, unknown>>;
  /** Signs with a key that it does not publish. */
  isForged?: boolean;
  /** Value of `iss` in the redirect (RFC 9207). */
  iss?: string;
}

/** A running provider. */
export class IdentityProvider implements Disposable {
  readonly clientId = "iddio";
  readonly clientSecret = "a secret of the provider";
  /** Who is logged in next. */
  account: Account = { sub: "1", name: "Ada", groups: ["staff"] };
  lies: Lies = {};
  readonly #codes = new Map<string, Code>();
  #key: KeyObject;
  #kid = "first";
  readonly #server: Bun.Server<undefined>;

  constructor(port = 0) {
    this.#key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    this.#server = Bun.serve({ hostname: "127.0.0.1", port, fetch: (request) => this.#answer(request) });
  }

  get issuer(): string {
    return `http://localhost:${this.#server.port}`;
  }

  /** Signs with another key from now on, as providers do now and then. */
  rotate(): void {
    this.#key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    this.#kid = randomBytes(4).toString("hex");
  }

  /** The notice that a person's session has ended. */
  logoutToken(claims: Readonly<Record<string, unknown>>): string {
    return this.#jwt({
      iss: this.issuer,
      aud: this.clientId,
      iat: now(),
      jti: randomBytes(8).toString("hex"),
      events: { "http://schemas.openid.net/event/backchannel-logout": {} },
      ...claims,
    });
  }

  [Symbol.dispose](): void {
    this.#server.stop(true);
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    switch (`${request.method} ${url.pathname}`) {
      case "GET /.well-known/openid-configuration":
        return Response.json({
          issuer: this.issuer,
          authorization_endpoint: `${this.issuer}/authorize`,
          token_endpoint: `${this.issuer}/token`,
          jwks_uri: `${this.issuer}/jwks`,
          response_types_supported: ["code"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["RS256"],
          code_challenge_methods_supported: ["S256"],
          authorization_response_iss_parameter_supported: true,
        });
      case "GET /jwks":
        return Response.json({ keys: [{ ...this.#publicKey(), kid: this.#kid, use: "sig", alg: "RS256" }] });
      case "GET /authorize":
        return this.#authorize(url.searchParams);
      case "POST /token":
        return this.#token(request, new URLSearchParams(await request.text()));
      default:
        return new Response(null, { status: 404 });
    }
  }

  #authorize(asked: URLSearchParams): Response {
    const value = (name: string) => asked.get(name) ?? "";
    const isWhole =
      value("client_id") === this.clientId &&
      value("response_type") === "code" &&
      value("code_challenge_method") === "S256" &&
      value("redirect_uri").endsWith("/auth/callback") &&
      value("scope").split(" ").includes("openid");
    if (!isWhole) return new Response("bad request", { status: 400 });
    const code = randomBytes(16).toString("hex");
    this.#codes.set(code, {
      account: this.account,
      nonce: value("nonce"),
      challenge: value("code_challenge"),
      redirectUri: value("redirect_uri"),
    });
    const back = new URL(value("redirect_uri"));
    back.searchParams.set("code", code);
    back.searchParams.set("state", value("state"));
    back.searchParams.set("iss", this.lies.iss ?? this.issuer);
    return Response.redirect(back.href, 303);
  }

  #token(request: Request, form: URLSearchParams): Response {
    const basic = Buffer.from(
      `${encodeURIComponent(this.clientId)}:${encodeURIComponent(this.clientSecret).replaceAll("%20", "+")}`,
    ).toString("base64");
    if (request.headers.get("authorization") !== `Basic ${basic}`)
      return Response.json({ error: "invalid_client" }, { status: 401 });
    const code = this.#codes.get(form.get("code") ?? "");
    this.#codes.delete(form.get("code") ?? "");
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (code === undefined || code.challenge !== challenge || code.redirectUri !== form.get("redirect_uri"))
      return Response.json({ error: "invalid_grant" }, { status: 400 });
    const { sub, name, groups, email } = code.account;
    return Response.json({
      access_token: randomBytes(16).toString("hex"),
      token_type: "Bearer",
      expires_in: 300,
      id_token: this.#jwt({
        iss: this.issuer,
        aud: this.clientId,
        sub,
        name,
        groups,
        ...(email === undefined ? {} : { email }),
        sid: `sid-${sub}`,
        nonce: code.nonce,
        iat: now(),
        exp: now() + 300,
        ...this.lies.claims,
      }),
    });
  }

  #jwt(claims: Readonly<Record<string, unknown>>): string {
    const key =
      this.lies.isForged === true
        ? generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
        : this.#key;
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const text = `${part({ alg: "RS256", kid: this.#kid })}.${part(claims)}`;
    return `${text}.${sign("RSA-SHA256", Buffer.from(text), key).toString("base64url")}`;
  }

  #publicKey(): object {
    const { kty, n, e } = this.#key.export({ format: "jwk" });
    return { kty, n, e };
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
