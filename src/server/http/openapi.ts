// The OpenAPI 3.1 document, written from the lists of endpoints: nobody writes it by hand, so it
// agrees with the server. Shapes become JSON Schema 2020-12.

import { FLEET_ENDPOINTS, fleetProblem } from "../../api/fleet/protocol.ts";
import type { AnySchema, Fields, Shape } from "../../api/schema.ts";
import { assertNever } from "../../model/assert-never.ts";
import { BUILD_VERSION } from "../../version.ts";
import type { AnyEndpoint } from "../api/endpoint.ts";
import { ENDPOINTS } from "../api/endpoints.ts";
import { cookieName } from "../people/session-cookie.ts";
import type { TenantSite } from "./tenant-of-request.ts";

type Json = { readonly [key: string]: unknown };

/** The document of a tenant; without a site that of the server, whose paths may name tenants. */
export function openApiDocument(byPath: boolean, site: TenantSite | undefined): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of ENDPOINTS) {
    paths[endpoint.path] ??= {};
    Object.assign(paths[endpoint.path] ?? {}, { [endpoint.method.toLowerCase()]: operation(endpoint) });
  }
  for (const [name, { path, about, input, output }] of Object.entries(FLEET_ENDPOINTS))
    paths[path] = {
      post: {
        operationId: `fleet_${name}`,
        tags: ["devices"],
        summary: about,
        security: name === "enroll" ? [] : [{ device: [] }],
        requestBody: body(input),
        responses: responses(output, {}, fleetProblem),
      },
    };
  return {
    openapi: "3.1.0",
    info: {
      title: "iddio control plane",
      version: BUILD_VERSION,
      license: { name: "MIT", identifier: "MIT" },
      description: "People call below /api/v1 with a session or a token; devices below /fleet/v1, signed.",
    },
    servers: [serverOf(byPath, site?.base)],
    security: [{ token: [] }, { session: [] }],
    tags: [{ name: "people" }, { name: "devices" }],
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "idat_…" },
        session: { type: "apiKey", in: "cookie", name: cookieOf(byPath, site) },
        device: {
          type: "apiKey",
          in: "header",
          name: "iddio-signature",
          description: "Ed25519 over the call, beside iddio-tenant, -device, -time and -nonce",
        },
      },
      schemas: { Problem: problemSchema() },
    },
  };
}

function serverOf(byPath: boolean, base: string | undefined): Json {
  if (base !== undefined && base !== "") return { url: base };
  if (!byPath) return { url: "/" };
  return {
    url: "/t/{tenant}",
    variables: { tenant: { default: "default", description: "the tenant's name" } },
  };
}

function cookieOf(byPath: boolean, site: TenantSite | undefined): string {
  const tenant = { id: "", slug: "{tenant}" };
  return cookieName(site ?? { tenant, base: byPath ? "/t/{tenant}" : "" }, "session");
}

/** The name of an operation: `get_devices_id`. */
export function operationId({ method, path }: Pick<AnyEndpoint, "method" | "path">): string {
  const words = path.replace("/api/v1/", "").replace(/[{}]/g, "").split(/[/-]/);
  return [method.toLowerCase(), ...words].join("_");
}

function operation(endpoint: AnyEndpoint): Json {
  const names = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const parameters = [
    ...names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
    ...Object.entries(endpoint.query).map(([name, field]) => ({
      name,
      in: "query",
      required: false,
      ...(field.about === undefined ? {} : { description: field.about }),
      schema: { type: "string" },
    })),
    ...(endpoint.method === "POST"
      ? [
          {
            name: "Idempotency-Key",
            in: "header",
            required: false,
            schema: { type: "string", maxLength: 128 },
          },
        ]
      : []),
  ];
  return {
    operationId: operationId(endpoint),
    tags: ["people"],
    summary: endpoint.about,
    description: `Needs the right '${endpoint.right}'.`,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(endpoint.input === undefined ? {} : { requestBody: body(endpoint.input) }),
    responses: responses(endpoint.output, endpoint.errors),
  };
}

function body(input: AnySchema): Json {
  return { required: true, content: { "application/json": { schema: schemaOf(input) } } };
}

function responses(output: AnySchema, errors: Readonly<Record<string, string>>, problem?: AnySchema): Json {
  const codes = Object.entries(errors).map(([code, about]) => `${code}: ${about}`);
  const shape = problem === undefined ? { $ref: "#/components/schemas/Problem" } : schemaOf(problem);
  return {
    "200": { description: "Done", content: { "application/json": { schema: schemaOf(output) } } },
    default: {
      description: ["Refused.", ...codes].join("\n"),
      content: { "application/problem+json": { schema: shape } },
    },
  };
}

function problemSchema(): Json {
  return {
    type: "object",
    required: ["title", "status", "code"],
    properties: {
      type: { type: "string" },
      title: { type: "string" },
      status: { type: "integer" },
      code: { type: "string" },
      detail: { type: "string" },
    },
  };
}

/** A schema as JSON Schema. */
export function schemaOf({ shape, about }: AnySchema): Json {
  return { ...ofShape(shape), ...(about === undefined ? {} : { description: about }) };
}

function ofShape(shape: Shape): Json {
  switch (shape.kind) {
    case "text":
      return { type: "string" };
    case "number":
      return { type: "number" };
    case "flag":
      return { type: "boolean" };
    case "anything":
      return {};
    case "words":
      return { type: "string", enum: shape.words };
    case "list":
      return { type: "array", items: schemaOf(shape.of) };
    case "map":
      return { type: "object", additionalProperties: schemaOf(shape.of) };
    case "pair":
      return { type: "array", prefixItems: shape.of.map(schemaOf), minItems: 2, maxItems: 2 };
    case "either":
      return { anyOf: shape.of.map(schemaOf) };
    case "object":
      return ofFields(shape.fields);
    default:
      return assertNever(shape);
  }
}

function ofFields(fields: Fields): Json {
  const entries = Object.entries(fields);
  const required = entries.filter(([, field]) => field.isOptional !== true).map(([name]) => name);
  return {
    type: "object",
    properties: Object.fromEntries(entries.map(([name, field]) => [name, schemaOf(field)])),
    ...(required.length === 0 ? {} : { required }),
  };
}
