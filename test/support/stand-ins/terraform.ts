// The servers that terraform talks to beside its providers: a module registry, a state backend over
// HTTP that is locked by LOCK and UNLOCK, and HCP Terraform's workspaces.

import { createHash } from "node:crypto";
import { bodyText, field, json, type StandInReply, type StandInRequest, type Vendor } from "./stand-in.ts";

/** The hosts. */
export const TERRAFORM_HOSTS = ["registry.terraform.io", "app.terraform.io", "tfstate.example.com"] as const;
/** The token that HCP Terraform takes. */
export const TERRAFORM_TOKEN = "standin.atlasv1.token";

/** The state of one backend, as it was last posted. */
export interface KeptState {
  body: Uint8Array | undefined;
  lock: string | undefined;
}

/** Serves `archive`, a tarball, as module acme/net/aws 1.0.0, and keeps `state`. */
export function terraform(archive: Uint8Array, state: KeptState): Vendor {
  return (request) => {
    switch (request.host) {
      case "registry.terraform.io":
        return answerRegistry(request, archive);
      case "tfstate.example.com":
        return answerState(request, state);
      case "app.terraform.io":
        return answerCloud(request);
      default:
        return undefined;
    }
  };
}

function answerRegistry({ path }: StandInRequest, archive: Uint8Array): StandInReply | undefined {
  // Relative to where it was asked for, as the protocol of modules allows.
  const source = "/archive/net.tar.gz";
  switch (path) {
    case "/.well-known/terraform.json":
      return json({ "modules.v1": "/v1/modules/" });
    case "/v1/modules/acme/net/aws/versions":
      return json({ modules: [{ versions: [{ version: "1.0.0" }] }] });
    case "/v1/modules/acme/net/aws/1.0.0/download":
      return { status: 204, headers: { "X-Terraform-Get": source } };
    case "/archive/net.tar.gz":
      return { status: 200, headers: { "Content-Type": "application/gzip" }, body: archive };
    default:
      return undefined;
  }
}

function answerState(request: StandInRequest, state: KeptState): StandInReply | undefined {
  const sum = createHash("md5").update(request.body).digest("base64");
  if (request.body.length > 0 && field(request, "content-md5") !== sum) return { status: 400 };
  switch (request.method) {
    case "GET":
      return state.body === undefined ? { status: 404 } : { status: 200, body: state.body };
    case "LOCK":
      if (state.lock !== undefined) return { status: 423, body: state.lock };
      state.lock = bodyText(request);
      return { status: 200 };
    case "UNLOCK":
      state.lock = undefined;
      return { status: 200 };
    case "POST":
      state.body = request.body;
      return { status: 200 };
    default:
      return undefined;
  }
}

const WORKSPACE = { id: "ws-1", type: "workspaces", attributes: { name: "old", "tag-names": ["app"] } };

function answerCloud({ method, path, headers, target }: StandInRequest): StandInReply | undefined {
  if (path === "/.well-known/terraform.json") return json({ "tfe.v2": "/api/v2/" });
  if (!headers.some(([, value]) => value === `Bearer ${TERRAFORM_TOKEN}`)) return { status: 401 };
  const pagination = { "current-page": 1, "total-pages": 1, "total-count": 1 };
  switch (`${method} ${path}`) {
    case "GET /api/v2/ping":
      return { status: 204, headers: { "TFP-API-Version": "2.6" } };
    case "GET /api/v2/organizations/acme/entitlement-set":
      return jsonApi({ data: { id: "org-1", type: "entitlement-sets", attributes: { operations: true } } });
    case "GET /api/v2/organizations/acme/workspaces":
      return jsonApi({ data: [WORKSPACE], meta: { pagination } });
    case "GET /api/v2/organizations/acme/workspaces/old":
      return jsonApi({ data: WORKSPACE });
    case "POST /api/v2/organizations/acme/workspaces":
      return jsonApi({ data: { ...WORKSPACE, id: "ws-2" } }, 201);
    default:
      return target.startsWith("/api/v2/")
        ? jsonApi({ errors: [{ status: "404", title: "not found" }] }, 404)
        : undefined;
  }
}

function jsonApi(value: unknown, status = 200): StandInReply {
  return { status, headers: { "Content-Type": "application/vnd.api+json" }, body: JSON.stringify(value) };
}
