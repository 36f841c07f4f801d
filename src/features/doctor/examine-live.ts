// The findings of `doctor --live`, a line a client, in the shape that the other checks have.
// Without a daemon nothing is tried: its absence is the one finding.

import type { CheckVerdict, Finding } from "../../cli/kit/check.ts";
import type { CommandContext } from "../../cli/kit/command.ts";
import { isDown } from "../../cli/kit/is-down.ts";
import type { LiveResult } from "./live-check.ts";

/** Tries the clients; without a daemon nothing is tried. */
export async function examineLive({ daemon, env, paths }: CommandContext): Promise<{
  readonly findings: readonly Finding[];
  readonly results: readonly LiveResult[];
}> {
  const { liveCheck } = await import("./live-check.ts");
  try {
    const { proxy_mode } = await daemon.call("status", {});
    const results = await liveCheck({ daemon, env, paths });
    return { findings: [...modeFinding(proxy_mode), ...results.map(findingOf)], results };
  } catch (error) {
    if (!isDown(error)) throw error;
    const about = { check: "live", lookedAt: paths.socket, verdict: "fail" as const };
    return {
      findings: [{ ...about, detail: "no client can be tried without a daemon", fix: "iddio gateway" }],
      results: [],
    };
  }
}

/** In a mode that opens nothing, the clients' requests are not judged, however well they are set up. */
function modeFinding(mode: string): Finding[] {
  if (mode === "enforce") return [];
  const detail =
    mode === "observe"
      ? "the proxy mode is observe: nothing is held or refused"
      : `the proxy mode is ${mode}: nothing is judged`;
  return [
    {
      check: "live mode",
      lookedAt: "proxy_mode",
      verdict: "warn",
      detail,
      fix: "iddio set-proxy-mode enforce",
    },
  ];
}

function findingOf({ client, program, verdict, detail, fix }: LiveResult): Finding {
  return {
    check: `live ${client}`,
    lookedAt: program ?? "PATH",
    verdict: verdict satisfies CheckVerdict,
    detail,
    ...(fix === undefined ? {} : { fix }),
  };
}
