// How many requests ended how, over time: bars that are read aloud as a sentence. Read again with
// the page's events, at most every few seconds.

import { useEffect, useState } from "preact/hooks";
import type { ControlMethods } from "../../../../api/methods.ts";
import { call } from "../net/call.ts";
import { onRefresh } from "../net/events.ts";
import { clockTime } from "../state/clock.ts";

type Found = ControlMethods["audit_histogram"]["output"];

const BARS = 60;
const EVERY_MS = 5_000;
const HEIGHT = 64;

/** The bars. */
export function Histogram({
  log,
  periodMs,
}: {
  readonly log: "audit" | "observe";
  readonly periodMs: number;
}) {
  const [found, setFound] = useState<Found>();
  useEffect(() => {
    const read = () => {
      call("audit_histogram", { log, since_ms: Date.now() - periodMs, buckets: BARS }).then(
        setFound,
        () => undefined,
      );
    };
    read();
    const timer = setInterval(read, EVERY_MS);
    const stop = onRefresh(read);
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [log, periodMs]);
  if (found === undefined) return <div class="histogram is-empty" />;
  const { buckets, until_ms } = found;
  const most = Math.max(1, ...buckets.map(({ allowed, asked, refused }) => allowed + asked + refused));
  const sum = (name: "allowed" | "asked" | "refused") =>
    buckets.reduce((total, each) => total + each[name], 0);
  const scale = (count: number) => (count / most) * HEIGHT;
  const widthMs = periodMs / BARS;
  return (
    <figure class="histogram">
      <svg
        viewBox={`0 0 ${BARS * 10} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${sum("allowed")} allowed, ${sum("asked")} asked, ${sum("refused")} refused`}
      >
        {buckets.map(({ allowed, asked, refused }, index) => {
          const [a, b, c] = [scale(allowed), scale(asked), scale(refused)];
          const x = index * 10 + 1;
          const from = until_ms - periodMs + index * widthMs;
          return (
            <g key={from}>
              <title>{`${clockTime(from)}: ${allowed} allowed, ${asked} asked, ${refused} refused`}</title>
              <rect class="bar-allowed" x={x} y={HEIGHT - a} width="8" height={a} />
              <rect class="bar-asked" x={x} y={HEIGHT - a - b} width="8" height={b} />
              <rect class="bar-refused" x={x} y={HEIGHT - a - b - c} width="8" height={c} />
            </g>
          );
        })}
      </svg>
      <p class="span" aria-hidden="true">
        <span>{clockTime(until_ms - periodMs)}</span>
        <span>now</span>
      </p>
      <figcaption>
        <span class="key key-allowed">{sum("allowed")} allowed</span>
        <span class="key key-asked">{sum("asked")} asked</span>
        <span class="key key-refused">{sum("refused")} refused</span>
        {found.is_cut ? <span class="muted">the latest 60,000 rows</span> : null}
      </figcaption>
    </figure>
  );
}
