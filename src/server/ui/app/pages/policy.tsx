// The policy's history: each proposal, its widenings, its publisher, the number of devices that
// have it. A person who may write policies proposes here; the server names the widenings.

import { useState } from "preact/hooks";
import { ProblemNotice } from "../../../../features/console/app/parts/empty.tsx";
import { ActButton, Page, Section } from "../../../../features/console/app/parts/page.tsx";
import { Safe, SafeLines } from "../../../../features/console/app/parts/safe-text.tsx";
import { say } from "../../../../features/console/app/parts/toast.tsx";
import { agoText, askServer, type List, me, useReading } from "../net.ts";

interface Revision {
  readonly revision: number;
  readonly kind: string;
  readonly note: string;
  readonly group?: string;
  readonly percent: number;
  readonly central_tiers: readonly string[];
  readonly is_wider: boolean;
  readonly widening: readonly string[];
  readonly state: string;
  readonly author: string;
  readonly approver?: string;
  readonly created_ms: number;
  readonly devices: number;
}

/** The page. */
export function FleetPolicyPage() {
  const revisions = useReading<List<Revision>>("revisions");
  const [shown, setShown] = useState<{ readonly revision: number; readonly text: string } | undefined>();
  const mayWrite = me.value?.rights.includes("write-policy") === true;
  const act = (path: string, input: object, what: string) => async () => {
    await askServer(path, input);
    say(what);
    await revisions.reload();
  };
  return (
    <Page title="Policy" about="Revisions never change and never go back.">
      <ProblemNotice error={revisions.problem.value} />
      {mayWrite ? <Propose done={revisions.reload} /> : null}
      {revisions.value.value?.items.map((each) => (
        <article class="card" key={each.revision} aria-label={`Revision ${each.revision}`}>
          <div class="row">
            <h2>
              {each.revision} <Safe text={each.note} />
            </h2>
            <span class="muted">
              {each.state} {each.kind === "dry" ? "dry " : ""}
              {each.group === undefined ? "for all" : `for ${each.group}`} {each.percent}%
            </span>
            <span class="spacer" />
            <span class="muted">
              {each.author}, {agoText(each.created_ms)}
            </span>
          </div>
          {each.is_wider ? (
            <ul class="verdict is-wider">
              {each.widening.map((line) => (
                <li key={line}>
                  <Safe text={line} />
                </li>
              ))}
            </ul>
          ) : null}
          <p class="muted">
            {each.devices} devices have it
            {each.central_tiers.length === 0
              ? ""
              : `; only people here allow ${each.central_tiers.join(", ")}`}
          </p>
          <div class="row">
            <ActButton
              act={async () => {
                const { policy } = await askServer<{ policy: string }>(`revisions/${each.revision}`);
                setShown({ revision: each.revision, text: policy });
              }}
            >
              Show
            </ActButton>
            {mayWrite && each.state === "proposed" ? (
              <ActButton
                class="primary"
                act={act(`revisions/${each.revision}/publish`, {}, `Published ${each.revision}`)}
              >
                Publish
              </ActButton>
            ) : null}
            {mayWrite && each.state === "published" ? (
              <ActButton act={act(`revisions/${each.revision}/restore`, {}, "Proposed again")}>
                Restore
              </ActButton>
            ) : null}
          </div>
          {shown?.revision === each.revision ? (
            <pre class="card">
              <SafeLines text={shown.text} />
            </pre>
          ) : null}
        </article>
      ))}
    </Page>
  );
}

function Propose({ done }: { readonly done: () => Promise<void> }) {
  const [policy, setPolicy] = useState("");
  const [note, setNote] = useState("");
  const [percent, setPercent] = useState("100");
  return (
    <Section title="Propose" about="Nothing reaches a device before it is published.">
      <textarea
        rows={8}
        class="mono"
        aria-label="policy.yaml"
        value={policy}
        onInput={(event) => setPolicy(event.currentTarget.value)}
      />
      <div class="row">
        <input
          class="grow"
          placeholder="What it is for"
          aria-label="Note"
          value={note}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
        <input
          class="small"
          type="number"
          min="1"
          max="100"
          aria-label="Percent of the devices"
          value={percent}
          onInput={(event) => setPercent(event.currentTarget.value)}
        />
        <ActButton
          class="primary"
          act={async () => {
            await askServer("revisions", { policy, note, percent: Number(percent) });
            setPolicy("");
            say("Proposed");
            await done();
          }}
        >
          Propose
        </ActButton>
      </div>
    </Section>
  );
}
