// Failures of the API as metav1.Status objects, in the wording that a real API server uses.

import type { KubeObject } from "./object/kube-object.ts";
import type { Resource } from "./object/resources.ts";

/** Thrown by handlers; becomes the response. */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(status: number, reason: string, message: string, details?: Readonly<Record<string, unknown>>) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.details = details;
  }

  /** The response body. */
  toStatus(): KubeObject {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {} as KubeObject["metadata"],
      status: "Failure",
      message: this.message,
      reason: this.reason,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.status,
    };
  }
}

function qualified(resource: Resource): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}

function detailsOf(resource: Resource, name: string): Record<string, unknown> {
  return { name, ...(resource.group === "" ? {} : { group: resource.group }), kind: resource.plural };
}

/** 404 for an object. */
export function notFound(resource: Resource, name: string): ApiError {
  return new ApiError(
    404,
    "NotFound",
    `${qualified(resource)} "${name}" not found`,
    detailsOf(resource, name),
  );
}

/** 409 for a create of what is there. */
export function alreadyExists(resource: Resource, name: string): ApiError {
  const message = `${qualified(resource)} "${name}" already exists`;
  return new ApiError(409, "AlreadyExists", message, detailsOf(resource, name));
}

/** 409 for a write on top of a newer version. */
export function conflict(resource: Resource, name: string): ApiError {
  const message =
    `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ` +
    "the object has been modified; please apply your changes to the latest version and try again";
  return new ApiError(409, "Conflict", message, detailsOf(resource, name));
}

/** 422 for an object that breaks a rule. */
export function invalid(resource: Resource, name: string, field: string, message: string): ApiError {
  const text = `${resource.kind}${resource.group === "" ? "" : `.${resource.group}`} "${name}" is invalid: ${field}: ${message}`;
  return new ApiError(422, "Invalid", text, {
    ...detailsOf(resource, name),
    causes: [{ reason: "FieldValueInvalid", message, field }],
  });
}

/** 400 for what cannot be read. */
export function badRequest(message: string): ApiError {
  return new ApiError(400, "BadRequest", message);
}

/** The success Status that deletions answer with. */
export function deletedStatus(resource: Resource, object: KubeObject): KubeObject {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {} as KubeObject["metadata"],
    status: "Success",
    details: { ...detailsOf(resource, object.metadata.name), uid: object.metadata.uid },
  };
}
