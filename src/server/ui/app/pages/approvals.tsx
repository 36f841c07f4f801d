// Requests that wait on devices. Everything of a request is on the page before it can be allowed,
// and the answer is about exactly that: its digest travels with it.

import { useState } from "preact/hooks";
import type { HeldApproval } from "../../../../api/fleet/protocol.ts";
import { Empty, ProblemNotice } from "../../../../features/console/app/parts/empty.tsx";
import { ActButton, Page } from "../../../../features/console/app/parts/page.tsx";
import { Safe, SafeLines } from "../../../../features/console/app/parts/safe-text.tsx";
import { TierBadge } from "../../../../features/console/app/parts/tier-badge.tsx";
import { say } from "../../../../features/console/app/parts/toast.tsx";
import type { TierOrUnknown } from "../../../../model/tier.ts";
import { agoText, askServer, type List, me, type PollReading, useReading } from "../net.ts";

interface Approval {
  readonly device: { readonly id: string; readonly name: string };
  readonly owner: { readonly id: string; readonly name: string };
  readonly state: string;
  readonly verb?: string;
  readonly decided_by?: string;
  readonly outcome?: string;
  readonly held: HeldApproval;
}

/** The page. */
export function FleetApprovalsPage() {
  const waiting = useReading<List<Approval>>("approvals", 1500);
  const ended = useReading<List<Approval>>("approvals?state=ended&limit=20", 5000);
  const items = waiting.value.value?.items;
  return (
    <Page title="Approvals" about="Requests of agents on all machines that a person decides.">
      <ProblemNotice error={waiting.problem.value} />
      {items?.length === 0 ? <Empty icon="approvals" title="Nothing waits" /> : null}
      {items?.map((each) => (
        <Card key={each.held.nonce} approval={each} list={waiting} />
      ))}
      <section class="section">
        <h2>Ended</h2>
        <table>
          <tbody>
            {ended.value.value?.items.map(({ device, held, outcome, decided_by: by }) => (
              <tr key={held.nonce}>
                <td>{agoText(held.held_ms)}</td>
                <td>
                  <Safe text={device.name} />
                </td>
                <td>
                  <Safe text={`${held.command} ${held.host}`} />
                </td>
                <td>{outcome}</td>
                <td>
                  <Safe text={by ?? ""} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </Page>
  );
}

function Card({
  approval,
  list,
}: {
  readonly approval: Approval;
  readonly list: PollReading<List<Approval>>;
}) {
  const { held, device, owner } = approval;
  const [reason, setReason] = useState("");
  const who = me.value;
  const isOwn = who?.id === owner.id;
  const mayDecide = who?.rights.includes("decide") === true;
  const decide = (verb: "allow" | "deny") => async () => {
    await askServer(`approvals/${device.id}/${held.nonce}/decide`, { verb, digest: held.digest, reason });
    say(verb === "allow" ? "Allowed once" : "Denied");
    await list.reload();
  };
  return (
    <article class="card" aria-label={`${held.command} on ${device.name}`}>
      <div class="row">
        <TierBadge tier={held.tier as TierOrUnknown} />
        <h2>
          <Safe text={held.command === "" ? held.protocol : held.command} />
        </h2>
        <span class="spacer" />
        <span class="muted">{agoText(held.held_ms)}</span>
      </div>
      <dl class="facts">
        <Fact label="Device" text={`${device.name}, for ${owner.name}`} />
        <Fact label="Where" text={held.port === 0 ? held.host : `${held.host}:${held.port}`} />
        <Fact label="Asked by" text={[held.client, held.run, held.agent].filter(Boolean).join(", ")} />
        <Fact
          label="Scope"
          text={Object.entries(held.labels)
            .map(([name, value]) => `${name}=${value}`)
            .join(" ")}
        />
        <Fact label="Rule" text={`${held.rule}: ${held.reason}`} />
        {held.evidence.map(({ label, text }) => (
          <Fact key={label} label={label} text={text} />
        ))}
        {held.effect === undefined ? null : <Fact label="Effect" text={held.effect.join("\n")} />}
        <Fact label="Digest" text={held.digest} />
      </dl>
      {mayDecide ? (
        <div class="row end">
          <input
            class="grow"
            placeholder="Reason"
            aria-label="Reason"
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
          <ActButton act={decide("deny")} class="deny">
            Deny
          </ActButton>
          {isOwn ? (
            <span class="muted">your own device asks: somebody else allows it</span>
          ) : (
            <ActButton act={decide("allow")} class="allow">
              Allow once
            </ActButton>
          )}
        </div>
      ) : null}
    </article>
  );
}

function Fact({ label, text }: { readonly label: string; readonly text: string }) {
  return text === "" ? null : (
    <div>
      <dt>{label}</dt>
      <dd>
        <SafeLines text={text} />
      </dd>
    </div>
  );
}
