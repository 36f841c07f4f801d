// Tokens of a Kubernetes service account, minted with TokenRequest by the operator's own identity.
// Each is bound to a Secret that iddio makes beside the account: when the Secret is deleted the
// token has ended, whatever its time. Secrets that an earlier daemon left are deleted before the
// first one is made, and with them their tokens.

import type { SideAnswer } from "../../../gateway/upstream/ask.ts";
import type { AskOwn } from "../../../gateway/upstream/own-request.ts";
import { operatorToken } from "../../../host/kubeconfig/operator-token.ts";
import type { Environment } from "../../../host/process/environment.ts";
import type { Header } from "../../../model/request.ts";
import { headerValue } from "../../../model/request.ts";
import { UserError } from "../../../model/user-error.ts";
import type { ClusterPlace, ServiceAccountOrigin } from "../stored-credential.ts";
import { issuersWords, lifeOf, type Minted } from "./minted.ts";

/** The parts that service accounts work with. */
export interface ClusterParts {
  readonly ask: AskOwn;
  readonly env: Environment;
  /** Tells this installation's Secrets from those of others: not a secret. */
  readonly holder: string;
}

/** An answer, with the part that may be quoted. */
interface Answer extends SideAnswer {
  readonly says: string;
}

interface Binding {
  readonly name: string;
  readonly uid: string;
}

const CALL_MS = 15_000;
const ANSWER_BYTES = 1024 * 1024;

/** One credential's service accounts. */
export class ServiceAccounts {
  readonly #name: string;
  readonly #origin: ServiceAccountOrigin;
  readonly #parts: ClusterParts;
  /** By `namespace/name` of the account. */
  readonly #bindings = new Map<string, Promise<Binding>>();
  /** Namespaces in which the secrets of earlier daemons are gone. */
  readonly #swept = new Map<string, Promise<void>>();

  constructor(name: string, origin: ServiceAccountOrigin, parts: ClusterParts) {
    this.#name = name;
    this.#origin = origin;
    this.#parts = parts;
  }

  /** Mints a token of `namespace/name`. Throws a `UserError`. */
  async mint(account: string): Promise<Minted> {
    const wasBound = this.#bindings.has(account);
    let binding = await this.#bindingOf(account);
    let answer = await this.#request(account, binding);
    if (wasBound && (answer.status === 404 || answer.status === 409)) {
      // Somebody deleted the Secret, which ended its tokens: another is made, with the operator's rights as ever.
      this.#bindings.delete(account);
      binding = await this.#bindingOf(account);
      answer = await this.#request(account, binding);
    }
    if (answer.status !== 201)
      throw failed(`no token of service account '${account}' was minted: ${answer.says}`);
    const { status } = parsed(answer) as { status?: { token?: unknown; expirationTimestamp?: unknown } };
    const endMs = Date.parse(String(status?.expirationTimestamp));
    const { token } = status ?? {};
    if (typeof token !== "string" || !/^[\x21-\x7e]{10,16384}$/.test(token) || Number.isNaN(endMs))
      throw failed(`the answer for service account '${account}' holds no token`);
    const issuerMs = Date.parse(headerValue(answer.headers, "date") ?? "");
    const { cluster, audiences } = this.#origin;
    return {
      value: token,
      lifeMs: lifeOf(endMs, issuerMs),
      id: tokenId(token) ?? binding.name,
      scope: {
        service_account: account,
        cluster: `${cluster.host}:${cluster.port}`,
        bound_to: `secret ${namespaceOf(account)}/${binding.name}`,
        ...(audiences.length === 0 ? {} : { audiences }),
      },
    };
  }

  #request(account: string, { name, uid }: Binding): Promise<Answer> {
    const { ttlS, audiences } = this.#origin;
    const [namespace = "", of = ""] = account.split("/");
    return this.#call("POST", `/api/v1/namespaces/${namespace}/serviceaccounts/${of}/token`, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        expirationSeconds: ttlS,
        ...(audiences.length === 0 ? {} : { audiences }),
        boundObjectRef: { apiVersion: "v1", kind: "Secret", name, uid },
      },
    });
  }

  /** Ends every token at once. Throws a `UserError` when the cluster did not confirm it. */
  async revoke(): Promise<number> {
    const bindings = [...this.#bindings];
    let ended = 0;
    for (const [account, made] of bindings) {
      this.#bindings.delete(account);
      const binding = await made.catch(() => undefined);
      if (binding === undefined) continue;
      const path = `/api/v1/namespaces/${namespaceOf(account)}/secrets/${binding.name}`;
      const answer = await this.#call("DELETE", path);
      if (answer.status !== 200 && answer.status !== 404)
        throw failed(`the Secret '${binding.name}' was not deleted: ${answer.says}`);
      ended += 1;
    }
    return ended;
  }

  #bindingOf(account: string): Promise<Binding> {
    let made = this.#bindings.get(account);
    if (made === undefined) {
      made = this.#bind(account, namespaceOf(account));
      this.#bindings.set(account, made);
      made.catch(() => this.#bindings.delete(account));
    }
    return made;
  }

  async #bind(account: string, namespace: string): Promise<Binding> {
    await this.#sweep(namespace);
    const answer = await this.#call("POST", `/api/v1/namespaces/${namespace}/secrets`, {
      apiVersion: "v1",
      kind: "Secret",
      type: "Opaque",
      metadata: {
        generateName: `iddio-${this.#name}-`,
        labels: this.#labels,
        annotations: {
          "iddio.dev/about": `tokens of service account ${account} that iddio lends end when this is deleted`,
        },
      },
    });
    const { metadata } = parsed(answer) as { metadata?: { name?: unknown; uid?: unknown } };
    if (answer.status === 201 && typeof metadata?.name === "string" && typeof metadata.uid === "string")
      return { name: metadata.name, uid: metadata.uid };
    throw failed(`no Secret was made in '${namespace}' to bind a token to: ${answer.says}`);
  }

  get #labels(): Readonly<Record<string, string>> {
    return {
      "app.kubernetes.io/managed-by": "iddio",
      "iddio.dev/credential": this.#name,
      "iddio.dev/holder": this.#parts.holder,
    };
  }

  /** Removes secrets of earlier daemons: their tokens were kept only in memory, so nothing uses them. */
  #sweep(namespace: string): Promise<void> {
    let sweeping = this.#swept.get(namespace);
    if (sweeping === undefined) {
      const selector = Object.entries(this.#labels).map(([name, value]) => `${name}=${value}`);
      sweeping = this.#call(
        "DELETE",
        `/api/v1/namespaces/${namespace}/secrets?labelSelector=${encodeURIComponent(selector.join(","))}`,
      ).then(() => undefined);
      this.#swept.set(namespace, sweeping);
      sweeping.catch(() => this.#swept.delete(namespace));
    }
    return sweeping;
  }

  #call(method: string, path: string, body?: object): Promise<Answer> {
    return callCluster(this.#parts, this.#origin, method, path, body);
  }
}

/** One call with the operator's own identity. Throws a `UserError`. */
async function callCluster(
  { ask, env }: ClusterParts,
  { cluster, operator }: ServiceAccountOrigin,
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const headers: Header[] = [
    ["Accept", "application/json"],
    ["User-Agent", "iddio (mints tokens that it lends)"],
  ];
  if (body !== undefined) headers.push(["Content-Type", "application/json"]);
  const token = operator.kind === "kubeconfig" ? (await operatorToken(operator, env)).text : "";
  if (token !== "") headers.push(["Authorization", `Bearer ${token}`]);
  const place = {
    host: cluster.host,
    port: cluster.port,
    lendsCertificate: operator.kind === "certificate",
  };
  try {
    const answer = await ask(place, {
      method,
      target: cluster.prefix + path,
      headers,
      ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
      signal: AbortSignal.timeout(CALL_MS),
      octets: ANSWER_BYTES,
    });
    return { ...answer, says: saysOf(answer, token) };
  } catch (error) {
    throw failed(
      `${whereOf(cluster)} was not reached: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function namespaceOf(account: string): string {
  return account.split("/", 1)[0] ?? "";
}

function whereOf({ host, port }: ClusterPlace): string {
  return `the cluster at ${host}:${port}`;
}

function parsed({ body }: SideAnswer): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function saysOf(answer: SideAnswer, token: string): string {
  const { message } = parsed(answer) as { message?: unknown };
  const words = typeof message === "string" ? `: ${issuersWords(message, [token])}` : "";
  return `the API server answered ${answer.status}${words}`;
}

/** The id of a JSON Web Token (RFC 7519 4.1.7), by which the cluster's audit log names it too. */
function tokenId(token: string): string | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")) as {
      jti?: unknown;
    };
    return typeof claims.jti === "string" ? claims.jti.slice(0, 100) : undefined;
  } catch {
    return undefined;
  }
}

function failed(message: string): UserError {
  return new UserError(message, {
    hint: "your own identity needs 'create' on serviceaccounts/token and secrets there, and 'deletecollection' on secrets",
  });
}
