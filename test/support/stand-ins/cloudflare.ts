// Cloudflare as wrangler sees it: one account with a Worker that can be deployed and given secrets,
// and a namespace of its key-value store.

import { field, json, type StandInReply, type Vendor } from "./stand-in.ts";

/** The only host. */
export const CLOUDFLARE_HOST = "api.cloudflare.com";
/** The account and the token that it takes. */
export const CLOUDFLARE_ACCOUNT = "023e105f4ecef8ad9ca31a8372d0c353";
export const CLOUDFLARE_TOKEN = "standin_token_0123456789012345678901234567890";

const NAMESPACE = { id: "0f2ac74b498b48028cb68387c421e279", title: "carts", supports_url_encoding: true };

/** Answers in Cloudflare's envelope. */
export const cloudflare: Vendor = (request) => {
  if (field(request, "authorization") !== `Bearer ${CLOUDFLARE_TOKEN}`)
    return failure(403, 10000, "Authentication error");
  const { method, path, query } = request;
  const place = path.replace(`/client/v4/accounts/${CLOUDFLARE_ACCOUNT}`, "");
  switch (`${method} ${place}`) {
    case "GET /storage/kv/namespaces":
      return success(Number(query.get("page") ?? 1) > 1 ? [] : [NAMESPACE]);
    case "GET /workers/services/shop":
      return failure(404, 10090, "This service does not exist on your account.");
    case "PUT /workers/scripts/shop/secrets":
      return success({ name: "DB_PASSWORD", type: "secret_text" });
    case "PUT /workers/scripts/shop":
      return success({ id: "shop", etag: "e", deployment_id: "d1", startup_time_ms: 1, pipeline_hash: "p" });
    case "GET /workers/scripts/shop/deployments":
      return success({ deployments: [] });
    case "GET /workers/scripts/shop/subdomain":
    case "POST /workers/scripts/shop/subdomain":
      return success({ enabled: false, previews_enabled: false });
    case "GET /workers/scripts/shop/settings":
      return success({ bindings: [] });
    case "GET /workers/subdomain":
      return success({ subdomain: "acme" });
    default:
      return undefined;
  }
};

function success(result: unknown): StandInReply {
  return json({ success: true, errors: [], messages: [], result });
}

function failure(status: number, code: number, message: string): StandInReply {
  return json({ success: false, errors: [{ code, message }], messages: [], result: null }, status);
}
