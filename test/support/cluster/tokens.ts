// Tokens of service accounts as kube-apiserver 1.36.2 was seen to issue and to check them: ten
// minutes at the least, bound to a Secret whose deletion ends them (the real one remembers a good
// token for up to ten seconds; this one does not), 404 and 409 for an account or a Secret that is
// not the one that is there. The claims are those that clients read.

import { ApiError, notFound } from "./api-error.ts";
import type { User } from "./authentication.ts";
import { type KubeObject, textAt, valueAt } from "./object/kube-object.ts";
import { RESOURCES, type Resource } from "./object/resources.ts";
import { type ObjectStore, timestamp } from "./object/store.ts";

interface Issued {
  readonly user: User;
  readonly endMs: number;
  readonly secret?: { readonly namespace: string; readonly name: string; readonly uid: string };
}

const LEAST_S = 600;
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Issues and checks them. */
export class ServiceAccountTokens {
  readonly #store: ObjectStore;
  readonly #issued = new Map<string, Issued>();
  /** How far the server's clock is ahead. */
  skewMs = 0;
  /** Answers every TokenRequest with this status while it is set. */
  failure: { readonly status: number; readonly message: string } | undefined;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  get nowMs(): number {
    return Date.now() + this.skewMs;
  }

  /** The server's clock. */
  get date(): string {
    return new Date(this.nowMs).toUTCString();
  }

  /** Every token that was issued, in order. */
  get all(): readonly string[] {
    return [...this.#issued.keys()];
  }

  /** Answers a TokenRequest for a service account that is there. */
  issue(request: KubeObject, namespace: string, account: string): KubeObject {
    if (this.failure !== undefined)
      throw new ApiError(this.failure.status, "Forbidden", this.failure.message);
    const seconds = Number(valueAt(request, "spec.expirationSeconds") ?? 3600);
    if (seconds < LEAST_S) {
      const message = `spec.expirationSeconds: Invalid value: ${seconds}: may not specify a duration less than 10 minutes`;
      throw new ApiError(422, "Invalid", `TokenRequest.authentication.k8s.io "" is invalid: ${message}`);
    }
    const secret = this.#boundTo(request, namespace);
    const endMs = this.nowMs + seconds * 1000;
    const name = `system:serviceaccount:${namespace}:${account}`;
    const claims = { exp: Math.floor(endMs / 1000), sub: name, jti: crypto.randomUUID() };
    const token = `${part({ alg: "RS256" })}.${part(claims)}.${crypto.randomUUID().replaceAll("-", "")}`;
    const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
    this.#issued.set(token, { user: { name, groups, by: "token" }, endMs, ...(secret ? { secret } : {}) });
    return {
      ...request,
      metadata: { ...request.metadata, name: account, namespace, creationTimestamp: timestamp() },
      status: { token, expirationTimestamp: new Date(endMs).toISOString() },
    };
  }

  /** Whose a token is; undefined when it is none, or none any more. */
  userOf(token: string): User | undefined {
    const issued = this.#issued.get(token);
    if (issued === undefined || this.nowMs >= issued.endMs) return undefined;
    const { secret } = issued;
    const kept = secret && this.#store.get(secretResource(), secret.namespace, secret.name);
    return secret === undefined || kept?.metadata.uid === secret.uid ? issued.user : undefined;
  }

  #boundTo(request: KubeObject, namespace: string): Issued["secret"] {
    const name = textAt(request, "spec.boundObjectRef.name");
    if (name === "") return undefined;
    const uid = textAt(request, "spec.boundObjectRef.uid");
    const found = this.#store.get(secretResource(), namespace, name);
    if (found === undefined) throw notFound(secretResource(), name);
    if (uid === "" || found.metadata.uid === uid) return { namespace, name, uid: found.metadata.uid ?? "" };
    const message =
      `Operation cannot be fulfilled on Secret "${name}": the UID in the bound object reference (${uid}) does not match ` +
      "the UID in record. The object might have been deleted and then recreated";
    throw new ApiError(409, "Conflict", message);
  }
}

function secretResource(): Resource {
  const found = RESOURCES.find(({ kind, group }) => kind === "Secret" && group === "");
  if (found === undefined) throw new Error("the stand-in serves no Secrets");
  return found;
}
