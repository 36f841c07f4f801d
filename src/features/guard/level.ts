// Which level the guard reaches, why, and what raises it. Pure. It promises less rather than more:
// a factor whose secret lies where the agent can read it, or a machine where the agent can become
// root, is L0.

import type { GuardReport } from "../../api/daemon-reports.ts";

/** The facts that the level depends on. */
export interface GuardFacts {
  readonly guard: "off" | "session" | "totp" | "passkey";
  /** Why decisions are refused, if they are. */
  readonly problem: string | undefined;
  /** The daemon's user and the person's. */
  readonly daemonUid: number | undefined;
  readonly ownerUid: number | undefined;
  /** Whether the person's user becomes root without being asked for anything. */
  readonly isRootFree: boolean;
  /** Whether the daemon can be a service of the whole system here. */
  readonly hasSystemService: boolean;
}

/** Level, reason and the command that raises it. */
export function guardLevel(facts: GuardFacts): Pick<GuardReport, "level" | "why" | "raise"> {
  const { guard, daemonUid, ownerUid, isRootFree } = facts;
  const orSystem = facts.hasSystemService ? ", or sudo iddio install --system" : "";
  const isApart = daemonUid !== undefined && ownerUid !== undefined && daemonUid !== ownerUid;
  if (ownerUid === 0)
    return { level: "L0", why: "everything here runs as root", raise: "run agents as another user" };
  switch (guard) {
    case "off":
      return {
        level: "L0",
        why: "no guard: anyone who runs `iddio approval allow` decides",
        raise: "iddio guard enroll passkey",
      };
    case "session":
      return {
        level: "L0",
        why: "a speed bump: an agent that opens a terminal of its own gets past it",
        raise: "iddio run <agent>, or iddio guard enroll passkey",
      };
    case "totp":
      if (!isApart)
        return {
          level: "L0",
          why: "the secret of the codes lies where an agent of your user can read it",
          raise: `iddio guard enroll passkey${orSystem}`,
        };
      break;
    case "passkey":
      if (!isApart)
        return {
          level: "L1",
          why: "a passkey decides; an agent of your user could still change iddio's files",
          raise: `iddio run <agent>${orSystem}`,
        };
      break;
  }
  if (isRootFree)
    return {
      level: "L0",
      why: "sudo asks your user for nothing, nor would it ask an agent",
      raise: "ask for a password in sudoers",
    };
  return { level: "L3", why: `a ${guard} decides, and the daemon's files belong to another user` };
}
