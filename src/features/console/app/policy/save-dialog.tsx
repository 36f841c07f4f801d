// Before a policy is saved: what becomes newly allowed, asked or denied, as a list and for the
// requests of the last week. When the file was changed meanwhile, both texts are shown and nothing
// is lost.

import { useEffect, useState } from "preact/hooks";
import type { ControlMethods } from "../../../../api/methods.ts";
import { CallFailed, call } from "../net/call.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Icon } from "../parts/icon.tsx";
import { ActButton } from "../parts/page.tsx";
import { say } from "../parts/toast.tsx";
import { base, draft, editDraft, loadPolicy, sha256Hex } from "./draft.ts";

const WEEK_MS = 7 * 86_400_000;
/** A log may be long; the latest say enough. */
const REPLAY_ROWS = 60_000;

interface PolicyReview {
  readonly diff: ControlMethods["policy_diff"]["output"];
  readonly replay: ControlMethods["policy_replay"]["output"];
}

async function reviewOf(text: string): Promise<PolicyReview> {
  const [diff, replay] = await Promise.all([
    call("policy_diff", { text }),
    call("policy_replay", { text, since_ms: WEEK_MS, rows: REPLAY_ROWS }),
  ]);
  return { diff, replay };
}

/** The dialog. */
export function SaveDialog({ onClose }: { readonly onClose: () => void }) {
  const [review, setReview] = useState<PolicyReview>();
  const [problem, setProblem] = useState<string>();
  const [theirs, setTheirs] = useState<string>();
  useEffect(() => {
    reviewOf(draft.value).then(setReview, (error: unknown) =>
      setProblem(error instanceof Error ? error.message : String(error)),
    );
  }, []);
  const save = async () => {
    try {
      const { warnings } = await call("policy_write", {
        text: draft.value,
        base_sha256: await sha256Hex(base.value ?? ""),
      });
      say(warnings.length === 0 ? "Saved; in force now" : `Saved; in force now. ${warnings.join("; ")}`);
      await loadPolicy(true);
      onClose();
    } catch (error) {
      if (!(error instanceof CallFailed) || error.code !== "changed-meanwhile") throw error;
      setTheirs((await call("policy_show", {})).text);
    }
  };
  if (theirs !== undefined) return <Conflict theirs={theirs} onClose={onClose} />;
  return (
    <Dialog title="What this changes" onClose={onClose} isWide>
      {problem === undefined ? null : <p class="problem">{problem}</p>}
      {review === undefined ? (
        <p class="muted">Comparing every known operation, and the requests of the last week…</p>
      ) : (
        <Review review={review} />
      )}
      <div class="row end">
        <button type="button" onClick={onClose}>
          Back
        </button>
        <ActButton class="primary" act={save} isOff={review === undefined}>
          Save
        </ActButton>
      </div>
    </Dialog>
  );
}

function Review({ review }: { readonly review: PolicyReview }) {
  const { replay } = review;
  const { changes, routes, unknown, wider } = review.diff;
  const nothing = changes.length === 0 && routes.length === 0 && unknown.length === 0;
  return (
    <>
      <p class={`verdict ${wider ? "is-wider" : "is-narrower"}`}>
        <Icon name={wider ? "warning" : "check"} />
        {nothing
          ? "Nothing is decided differently."
          : wider
            ? "It lets through more than before."
            : "It lets through no more than before."}
      </p>
      <ul class="changes">
        {changes.map((each, index) => (
          // A change has no name of its own, and the list does not move.
          <li key={`${index} ${each.protocol}`}>
            <Arrow from={each.from} to={each.to} /> <b>{each.protocol}</b>{" "}
            <span class="mono">{[...each.operations.slice(0, 8), ...each.others].join(", ")}</span>
            {each.operations.length > 8 ? ` and ${each.operations.length - 8} more` : ""}
            {each.scopes.map(({ label, cells }) => (
              <small key={label} class="muted">
                {label}: {cells.join(", ")}
              </small>
            ))}
          </li>
        ))}
        {routes.map(({ entry, from, to }) => (
          <li key={entry}>
            <Arrow from={from} to={to} /> host <span class="mono">{entry}</span>
          </li>
        ))}
        {unknown.map((clause) => (
          <li key={clause} class="muted">
            {clause}
          </li>
        ))}
      </ul>
      <section class="block">
        <h3>
          The last 7 days, decided again: {replay.decided} requests{replay.is_cut ? ", the latest" : ""}
        </h3>
        {replay.changes.length === 0 ? (
          <p class="muted">
            {replay.decided === 0 ? "The log has none yet." : "All of them would have gone as they did."}
          </p>
        ) : (
          <ul class="changes">
            {replay.changes.slice(0, 30).map(({ protocol, command, from, to, count, labels }) => (
              <li key={`${protocol} ${command} ${from} ${JSON.stringify(labels)}`}>
                <Arrow from={from} to={to} /> <b>{count}×</b> {protocol} <span class="mono">{command}</span>
                <small class="muted">{Object.values(labels).join(" · ")}</small>
              </li>
            ))}
          </ul>
        )}
      </section>
    </>
  );
}

function Arrow({ from, to }: { readonly from: string; readonly to: string }) {
  return (
    <span class="arrow">
      <span class={`action-${from}`}>{from}</span> → <span class={`action-${to}`}>{to}</span>
    </span>
  );
}

function Conflict({ theirs, onClose }: { readonly theirs: string; readonly onClose: () => void }) {
  const mine = draft.value;
  const lines = new Set(theirs.split("\n"));
  const own = new Set(mine.split("\n"));
  const list = (text: string, others: ReadonlySet<string>) =>
    text.split("\n").map((line, index) => (
      <span key={`${index} ${line}`} class={others.has(line) ? "" : "differs"}>
        {line}
        {"\n"}
      </span>
    ));
  return (
    <Dialog title="policy.yaml was changed meanwhile" onClose={onClose} isWide>
      <p>Nothing was written. Lines that only one of the two has are marked.</p>
      <div class="two">
        <div>
          <h3>On disk now</h3>
          <pre class="body">{list(theirs, own)}</pre>
        </div>
        <div>
          <h3>Yours</h3>
          <pre class="body">{list(mine, lines)}</pre>
        </div>
      </div>
      <div class="row end">
        <button type="button" onClick={() => void loadPolicy(true).then(onClose)}>
          Take the one on disk
        </button>
        <button
          type="button"
          class="primary"
          onClick={() => {
            base.value = theirs;
            editDraft(mine);
            onClose();
          }}
        >
          Go on with mine, and compare it with the one on disk
        </button>
      </div>
    </Dialog>
  );
}
