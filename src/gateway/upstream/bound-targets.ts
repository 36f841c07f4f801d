// NTLM and Negotiate authenticate a connection, not a request (RFC 4559 6): anyone who sends the
// next request on it is answered as the one who logged in. From the first such credential on, a
// client's connection gets upstream connections of its own, which no other client is ever given and
// which end with it.

import type { Header } from "../../model/request.ts";
import type { Channel } from "../stream/channel.ts";
import type { UpstreamPool, UpstreamTarget } from "./pool.ts";

const BINDING = /^\s*(?:ntlm|negotiate)(?:\s|$)/i;

function isBinding([name, value]: Header): boolean {
  return name.length === 13 && name.toLowerCase() === "authorization" && BINDING.test(value);
}

/** By the client's connection; made at its first binding credential. */
const bindings = new WeakMap<Channel, BoundTargets>();
let count = 0;

/** The target by which a request of this client's connection is sent: the given one, or the client's own. */
export function boundTarget(
  pool: UpstreamPool,
  client: Channel,
  target: UpstreamTarget,
  headers: readonly Header[],
): UpstreamTarget {
  let bound = bindings.get(client);
  if (bound === undefined) {
    if (!headers.some(isBinding)) return target;
    bound = new BoundTargets(pool, client);
    bindings.set(client, bound);
  }
  return bound.of(target);
}

class BoundTargets {
  readonly #own = `bound ${++count}`;
  readonly #targets = new Map<UpstreamTarget, UpstreamTarget>();

  readonly #client: Channel;

  constructor(pool: UpstreamPool, client: Channel) {
    this.#client = client;
    client.onClosed(() => {
      for (const target of this.#targets.values()) pool.drop(target);
    });
  }

  of(target: UpstreamTarget): UpstreamTarget {
    let own = this.#targets.get(target);
    if (own === undefined) {
      own = { ...target, owner: `${target.owner} ${this.#own}`, boundTo: this.#client };
      this.#targets.set(target, own);
    }
    return own;
  }
}
