// All that is known of one request, and the answers to it. The basis of a decision is shown whole:
// nothing of the command, the path or the body is cut. The answers wait until this was on the
// screen.

import { useEffect, useState } from "preact/hooks";
import type { ApprovalDetails } from "../../../../api/reports.ts";
import { hostText } from "../../../../text/host-port.ts";
import { CliLine } from "../parts/cli-line.tsx";
import { ProblemNotice } from "../parts/empty.tsx";
import { processText, requestName } from "../parts/facts.ts";
import { Icon } from "../parts/icon.tsx";
import { manifestOf } from "../parts/manifest.ts";
import { Safe, SafeLines } from "../parts/safe-text.tsx";
import { TIER_MEANINGS, TierBadge } from "../parts/tier-badge.tsx";
import {
  details,
  detailsProblem,
  type Ended,
  keyOf,
  leftMs,
  painted,
  select,
  selected,
  selectedEnd,
  waiting,
} from "../state/approvals.ts";
import { countdown } from "../state/clock.ts";
import { goTo } from "../state/route.ts";
import { AnswerBar } from "./answer-bar.tsx";
import { EffectView } from "./effect.tsx";

const ENDS: Readonly<Record<Ended, string>> = {
  approved: "Allowed",
  denied: "Denied",
  timed_out: "Nobody answered in time. Allowing it now lets the same request through once.",
  withdrawn: "Its client has left. Allowing it now lets the same request through once.",
  revoked: "The policy in force denies it by now.",
};

/** The pane of the selected one. */
export function ApprovalDetailsPane() {
  const approval = selected.value;
  const shown = details.value;
  useEffect(() => {
    if (shown === undefined) return;
    // Two frames later it has been painted.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => {
        painted.value = keyOf(shown);
      });
    });
    return () => cancelAnimationFrame(frame);
  }, [shown]);
  if (approval === undefined) return null;
  const end = selectedEnd.value;
  const left = leftMs(approval);
  return (
    <section class="details" aria-label="Details" aria-busy={shown === undefined}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <div class="details-scroll" tabIndex={0}>
        <button
          type="button"
          class="quiet back"
          onClick={() => {
            select(undefined);
            goTo("approvals", "", true);
          }}
        >
          <Icon name="undo" /> All requests
        </button>
        {end === undefined ? null : (
          <p class={`ended ended-${end}`} role="status">
            {ENDS[end]}
          </p>
        )}
        <header class="details-head">
          <div class="row">
            <TierBadge tier={approval.tier} />
            <span class="muted tier-meaning">{TIER_MEANINGS[approval.tier]}</span>
            {end === undefined ? (
              <span class={left < 10_000 ? "left hurry" : "left"}>
                <Icon name="clock" /> {countdown(left)}
              </span>
            ) : null}
          </div>
          <h2 class="command">
            <Safe text={requestName(approval)} />
          </h2>
          {approval.object === undefined ? null : (
            <p class="object">
              <Safe text={approval.object} />
            </p>
          )}
        </header>
        {detailsProblem.value === undefined ? null : (
          <ProblemNotice error={new Error(detailsProblem.value)} />
        )}
        {shown === undefined ? <p class="muted">Reading all of it…</p> : <Everything shown={shown} />}
      </div>
      <AnswerBar />
    </section>
  );
}

function Everything({ shown }: { readonly shown: ApprovalDetails }) {
  const labels = Object.entries(shown.labels);
  return (
    <>
      <dl class="facts">
        <Fact name="Request">
          <span class="mono">
            <b>{shown.method}</b> <Safe text={shown.path} />
          </span>
        </Fact>
        <Fact name="Host">
          <span class="mono">
            <Safe text={hostText(shown)} />
          </span>
        </Fact>
        {labels.map(([name, value]) => (
          <Fact key={name} name={name}>
            <span class="mono">
              <Safe text={value} />
            </span>
          </Fact>
        ))}
        {shown.next === undefined ? null : (
          <Fact name="Goes on to">
            <Safe text={shown.next} />
            <small class="muted">only with “Allow the rest of this command”</small>
          </Fact>
        )}
        <Fact name="Held because">
          <Safe text={shown.reason === "" ? "the policy asks a person" : shown.reason} />
          {shown.rule === "" ? null : (
            <small class="mono muted">
              <Safe text={shown.rule} />
            </small>
          )}
        </Fact>
        <Fact name="Asked by">
          <Asker shown={shown} />
        </Fact>
      </dl>
      <EffectView shown={shown} />
      <Siblings shown={shown} />
      <Body shown={shown} />
      <Fields title="Headers" fields={shown.headers} />
      {shown.trailers === undefined ? null : <Fields title="Trailers" fields={shown.trailers} />}
      <p class="block">
        <CliLine label="In a terminal" line={`iddio approval show ${shown.id}`} />
      </p>
    </>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>
        <Safe text={name} />
      </dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The process, and what started it, outermost first. */
function Asker({ shown: { client } }: { readonly shown: ApprovalDetails }) {
  if (client === undefined) return <span class="muted">the system does not tell</span>;
  const chain = [...(client.ancestors ?? [])].reverse();
  return (
    <>
      {client.run === undefined ? null : (
        <span class="run">
          <Safe text={client.run} />
        </span>
      )}
      <span class="chain mono">
        {chain.map((each) => (
          <span key={each.pid}>
            <Safe text={processText(each)} />
          </span>
        ))}
        <b>
          <Safe text={processText(client)} />
        </b>
      </span>
      {client.program === undefined && client.user === undefined ? null : (
        <small class="muted">
          <Safe text={[client.program, client.user && `user ${client.user}`].filter(Boolean).join(", ")} />
        </small>
      )}
    </>
  );
}

/** The others of the same command. */
function Siblings({ shown }: { readonly shown: ApprovalDetails }) {
  const others = (waiting.value.value ?? []).filter(
    (each) => shown.group !== undefined && each.group === shown.group && each.id !== shown.id,
  );
  if (others.length === 0) return null;
  return (
    <section class="block">
      <h3>The same command also asks for</h3>
      <ul class="siblings">
        {others.map((each) => (
          <li key={each.id}>
            <TierBadge tier={each.tier} /> <Safe text={requestName(each)} />{" "}
            <span class="muted mono">
              <Safe text={each.path} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Body({ shown }: { readonly shown: ApprovalDetails }) {
  const [isRaw, setRaw] = useState(false);
  if (shown.body === "") return null;
  const manifest = manifestOf(shown.body);
  return (
    <section class="block">
      <h3>
        Body
        {manifest === undefined ? null : (
          <span class="switch">
            <button type="button" aria-pressed={!isRaw} onClick={() => setRaw(false)}>
              Manifest
            </button>
            <button type="button" aria-pressed={isRaw} onClick={() => setRaw(true)}>
              As sent
            </button>
          </span>
        )}
      </h3>
      <pre class="body">
        <SafeLines text={manifest === undefined || isRaw ? shown.body : manifest} />
      </pre>
    </section>
  );
}

function Fields({ title, fields }: { readonly title: string; readonly fields: ApprovalDetails["headers"] }) {
  if (fields.length === 0) return null;
  return (
    <section class="block">
      <h3>{title}</h3>
      <dl class="header-fields mono">
        {fields.map(([name, value], index) => (
          <div key={index}>
            <dt>
              <Safe text={name} />
            </dt>
            <dd>
              <Safe text={value} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
