// Requests for classifier tables, written as they would be said: "GET https://host/path".

import type { Header, HttpRequest, RequestBody } from "../../src/model/request.ts";
import { splitUrl } from "../../src/protocols/batch.ts";

/** The parts that a table row may add to its method and URL. */
export interface Extras {
  readonly headers?: readonly Header[];
  /** Text is UTF-8; the string "unread" is not special, use `unread`. */
  readonly body?: string | Uint8Array;
  /** The body exists but could not be read. */
  readonly unread?: boolean;
}

/** A request from "METHOD url", the URL's path and query taken as they are. */
export function requestOf(line: string, extras: Extras = {}): HttpRequest {
  const space = line.indexOf(" ");
  const split = splitUrl(line.slice(space + 1));
  if ("problem" in split) throw new Error(`${line}: ${split.problem}`);
  return { method: line.slice(0, space), ...split, headers: extras.headers ?? [], body: bodyOf(extras) };
}

function bodyOf({ body, unread }: Extras): RequestBody {
  if (unread) return { kind: "unread", why: "it is over the limit" };
  if (body === undefined) return { kind: "none" };
  return { kind: "whole", bytes: typeof body === "string" ? new TextEncoder().encode(body) : body };
}
