// The effect of a held request of an API without dry run: a PUT or PATCH beside the same resource
// as it is now, read by a GET that the policy would let the client make. Of everything else nobody
// knows before it was done, and that is said.

import type { EffectReport } from "../../api/effect-report.ts";
import type { EffectRelease, HeldEffect, HeldRequest } from "../../gateway/cluster/held-effect.ts";
import type { ClusterReader } from "../../gateway/cluster/reader.ts";
import type { Protocol } from "../../model/protocol.ts";
import { type HttpRequest, headerValue } from "../../model/request.ts";
import { diffObjects, isComparable } from "../../protocols/kubectl/effect/diff.ts";
import { isFields, type ObjectFields, valueAt } from "../../protocols/kubectl/effect/normalise.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { splitTarget } from "../../wire/path.ts";
import { type EffectsParts, FRESH_MS, GONE, LOOK_MS, look, OFF } from "./look.ts";
import { type Preview, TOO_LARGE } from "./preview.ts";

/** APIs whose effects are shown, by how they are called. */
const NAMES = {
  gcloud: "Google Cloud",
  github: "GitHub",
  cloudflare: "Cloudflare",
  aws: "AWS",
  fly: "Fly",
} as const;

type RestProtocol = keyof typeof NAMES;

const BODY_MAX = 1024 * 1024;
const DEPTH_MAX = 60;

/** Whether something is told of what requests of a protocol would do. */
export function isRestProtocol(protocol: Protocol): protocol is RestProtocol {
  return Object.hasOwn(NAMES, protocol);
}

/** The effect of one held request. */
export class RestEffect implements HeldEffect {
  readonly #parts: EffectsParts;
  readonly #protocol: RestProtocol;
  #held: HeldRequest | undefined;
  #looking: Promise<Preview> | undefined;
  #freshUntilMs = 0;

  constructor(parts: EffectsParts, held: HeldRequest, protocol: RestProtocol) {
    this.#parts = parts;
    this.#held = held;
    this.#protocol = protocol;
  }

  async show(): Promise<EffectReport> {
    if (this.#parts.settings().effect_preview === "off") return OFF;
    const held = this.#held;
    if (held === undefined) return GONE;
    if (this.#looking === undefined || performance.now() > this.#freshUntilMs) {
      this.#freshUntilMs = performance.now() + LOOK_MS + FRESH_MS;
      this.#looking = look(this.#parts, held, "", (reader) =>
        previewRest(this.#protocol, held.judged, reader),
      );
    }
    return (await this.#looking).report;
  }

  /** Nothing is compared again: these APIs have nothing by which a request could be held to it. */
  async release(_shown: HeldEffect): Promise<EffectRelease> {
    return { kind: "go" };
  }

  inherit(_shown: HeldEffect): void {}

  forget(): void {
    this.#held = undefined;
    this.#looking = undefined;
  }
}

async function previewRest(
  protocol: RestProtocol,
  { method, target, headers, body }: HttpRequest,
  reader: ClusterReader,
): Promise<Preview> {
  const api = NAMES[protocol];
  if (protocol === "aws" || protocol === "fly" || (method !== "PUT" && method !== "PATCH"))
    return none(`${api} has no dry run of it, so nobody knows what it does before it is done`);
  if (headers.some(([name]) => /^x-(?:http-)?method(?:-override)?$/i.test(name)))
    return none("a header field names another method");
  const given = givenIn(headers, body);
  if (typeof given === "string") return none(given);
  const { path } = splitTarget(target);
  const live = await reader.get(path);
  if (live.kind === "failed") return none(`what is there now could not be read: ${live.why}`);
  const there = live.kind === "absent" ? undefined : resourceIn(protocol, live.value);
  const before = there === undefined ? undefined : partOf(there, given, 0);
  if (!isComparable(before) || !isComparable(given)) return none(TOO_LARGE);
  const { changes, more } = diffObjects(before, given);
  const count = changes.length + more;
  const fields = count === 1 ? "1 field" : `${count} fields`;
  const what = escapeForTerminal(path);
  const notes = [
    `compared with what is there now: ${api} has no dry run`,
    ...(method === "PUT" && there !== undefined ? ["fields that it does not name may be set back"] : []),
  ];
  return {
    report: {
      state: "shown",
      about:
        before === undefined
          ? `makes ${what}, which is not there now`
          : count === 0
            ? `changes nothing that it names of ${what}`
            : `changes ${fields} of ${what}`,
      changes,
      ...(more === 0 ? {} : { more_changes: more }),
      notes,
    },
    pin: undefined,
  };
}

function none(about: string): Preview {
  return { report: { state: "none", about }, pin: undefined };
}

/** The object that a body holds; a text says why it cannot be compared. */
function givenIn(headers: HttpRequest["headers"], body: HttpRequest["body"]): ObjectFields | string {
  if (body.kind !== "whole")
    return body.kind === "none" ? "it has no body" : `its body was not read whole: ${body.why}`;
  if (body.bytes.length > BODY_MAX || !/\bjson\b/i.test(headerValue(headers, "content-type") ?? "json"))
    return "its body is not a JSON object that could be compared";
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body.bytes));
    if (isFields(value)) return value;
  } catch {
    // Said below.
  }
  return "its body is not a JSON object that could be compared";
}

/** Cloudflare puts what was asked for into an envelope. */
function resourceIn(protocol: RestProtocol, value: unknown): ObjectFields {
  const resource = protocol === "cloudflare" ? (valueAt(value, "result") ?? value) : value;
  return isFields(resource) ? resource : {};
}

/** Of what is there, that which a request names: the rest of it is not what the request is about. */
function partOf(live: ObjectFields, given: ObjectFields, depth: number): ObjectFields {
  const kept = Object.keys(given)
    .filter((name) => Object.hasOwn(live, name))
    .map((name) => {
      const [own, wanted] = [live[name], given[name]];
      const isDeeper = isFields(own) && isFields(wanted) && depth < DEPTH_MAX;
      return [name, isDeeper ? partOf(own, wanted, depth + 1) : own] as const;
    });
  return Object.fromEntries(kept);
}
