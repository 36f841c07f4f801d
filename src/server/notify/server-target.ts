// A target of a tenant as it is stored: an administrator's configuration, checked before anything
// is kept, sealed with the server's secret. Whoever may answer in Slack is a person of the tenant:
// his roles count at the moment of the click. Secrets in it never come out again.

import type { NotifyStart } from "../../api/methods/notify.ts";
import { checkedTarget, type TargetConfig } from "../../features/notify/target-config.ts";
import { UserError } from "../../model/user-error.ts";
import { type Row, textOf } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import type { Sealer } from "../sealer.ts";

/** One target. */
export interface ServerTarget extends TargetConfig {
  /** Ids of people by `team/user` of Slack. */
  readonly people: Readonly<Record<string, string>>;
  /** The person whose answers the callbacks of a webhook's receiver are. */
  readonly repliesAs?: string;
}

/** An administrator's input. */
export interface TargetStart extends Omit<NotifyStart, "approvers" | "replies"> {
  readonly approvers?: readonly { readonly slack: string; readonly person: string }[];
  readonly replies_as?: string;
}

/** Checks a target. Throws the problem that says what is wrong. */
export function checkedServerTarget({ approvers = [], replies_as, ...start }: TargetStart): ServerTarget {
  try {
    const config = checkedTarget({
      ...start,
      approvers: approvers.map(({ slack }) => slack),
      replies: replies_as !== undefined,
    });
    return {
      ...config,
      people: Object.fromEntries(approvers.map(({ slack, person }) => [slack, person])),
      ...(replies_as === undefined ? {} : { repliesAs: replies_as }),
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new Problem(
      400,
      "bad-input",
      error.message,
      error.hint === undefined ? {} : { detail: error.hint },
    );
  }
}

/**
 * Where a tenant's administrator may send: the operator's own networks only when the operator says so. Names that
 * stand for such addresses are refused when they are dialled.
 */
export function checkReach(reachPrivate: boolean, target: string): void {
  const names =
    /^(?:slack|pagerduty|s3):.*[?&](?:api|url|endpoint)=/.test(target) ||
    /^(?:[a-z]+\+)?(?:http|tcp):|\/\/(?:localhost|127\.|\[::1\])/.test(target);
  if (names && !reachPrivate)
    throw new Problem(400, "bad-input", "this server sends only to the internet, by TLS", {
      detail: "its operator can start it with --private-targets",
    });
}

/** The text that is stored. */
export function sealTarget(sealer: Sealer, tenant: string, config: ServerTarget): string {
  return sealer.seal(placeOf(tenant, config.name), JSON.stringify(config));
}

/** The target of a row with `name` and `sealed_config`. */
export function targetConfig(sealer: Sealer, tenant: string, row: Row): ServerTarget {
  return JSON.parse(
    sealer.open(placeOf(tenant, textOf(row, "name")), textOf(row, "sealed_config")),
  ) as ServerTarget;
}

function placeOf(tenant: string, name: string): string {
  return `${tenant}/notify/${name}`;
}
