// Changes of clusters that can be taken back: the effect of each, the changes after it, and the
// command that takes it back. The command runs in a terminal, because it speaks to the cluster with
// your own credentials.

import type { UndoReport } from "../../../../api/undo-report.ts";
import { call } from "../net/call.ts";
import { Changes } from "../parts/changes.tsx";
import { CliLine } from "../parts/cli-line.tsx";
import { Empty } from "../parts/empty.tsx";
import { ForPerson } from "../parts/for-person.tsx";
import { Icon } from "../parts/icon.tsx";
import { ActButton, Page } from "../parts/page.tsx";
import { Safe } from "../parts/safe-text.tsx";
import { say } from "../parts/toast.tsx";
import { ago, clockTime } from "../state/clock.ts";
import { useLook } from "../state/look.ts";
import { goTo, hrefOf, route } from "../state/route.ts";

/** The page. */
export function UndoPage() {
  const look = useLook("undo_list", {});
  const list = look.value?.entries;
  const open = list?.find(({ id }) => id === route.value.rest);
  return (
    <Page
      title="Undo"
      about="Changes of clusters that can be taken back"
      actions={
        list === undefined ? undefined : (
          <button type="button" onClick={look.reload}>
            Look again
          </button>
        )
      }
    >
      <ForPerson
        look={look}
        what="Show the changes"
        why="What is kept was read from the cluster, so a person is asked for first."
      />
      {list?.length === 0 ? (
        <Empty icon="undo" title="Nothing can be undone">
          <p>
            Before a change goes to a registered cluster, iddio keeps what it replaces or deletes. Such
            changes are listed here, newest first.
          </p>
          <p>
            <CliLine label="Register a cluster" line="iddio kubeconfig" />
          </p>
        </Empty>
      ) : null}
      {open === undefined ? null : <Open key={open.id} entry={open} onForgotten={look.reload} />}
      {list === undefined || list.length === 0 ? null : (
        <ul class="lines" aria-label="Changes">
          {list.map((each) => (
            <Line key={each.id} entry={each} isOpen={each.id === open?.id} />
          ))}
        </ul>
      )}
      <p class="page-foot">
        <CliLine label="In a terminal" line="iddio undo list" />
      </p>
    </Page>
  );
}

function Line({ entry, isOpen }: { readonly entry: UndoReport; readonly isOpen: boolean }) {
  const { id, command, path, run, created_ms, objects } = entry;
  return (
    <li>
      <a
        class="record-line"
        href={hrefOf("undo", id)}
        aria-current={isOpen ? "true" : undefined}
        onClick={(event) => {
          event.preventDefault();
          goTo("undo", id, true);
        }}
      >
        <time class="muted">{clockTime(created_ms)}</time>
        <span class="record-what">
          <b>
            <Safe text={command} />
          </b>{" "}
          <span class="muted mono">
            <Safe text={path === "" ? `${objects} objects` : path} />
          </span>
        </span>
        {run === undefined ? null : (
          <span class="run">
            <Safe text={run} />
          </span>
        )}
        <span class="record-state muted">{entry.action}</span>
      </a>
    </li>
  );
}

function Open({ entry, onForgotten }: { readonly entry: UndoReport; readonly onForgotten: () => void }) {
  const { id, notes, state, host, port } = entry;
  const look = useLook("undo_look", { id });
  return (
    <section class="card record" aria-label="The change">
      <header class="row">
        <h2>
          <Safe text={entry.command} />
        </h2>
        <span class="spacer" />
        <ActButton
          class="quiet"
          act={() =>
            call("undo_clear", { id }).then(() => {
              say(`${id} is forgotten`);
              goTo("undo", "", true);
              onForgotten();
            })
          }
        >
          Forget it
        </ActButton>
        <button type="button" class="quiet" onClick={() => goTo("undo", "", true)}>
          <Icon name="close" /> Close
        </button>
      </header>
      <p class="muted">
        <Safe
          text={`${host}:${port} · ${ago(entry.created_ms)}${entry.run === undefined ? "" : ` · run ${entry.run}`}`}
        />
      </p>
      {state === "kept" ? null : <p class="muted">How this change ended is not known.</p>}
      <ForPerson look={look} what="Show what it changed" why="This asks for you again." />
      {(look.value?.since ?? []).map(({ id: other, command, created_ms, run, path, fields }) => (
        <p key={`${other} ${path}`} class={fields.length === 0 ? "since muted" : "since is-conflict"}>
          <Icon name={fields.length === 0 ? "clock" : "warning"} />
          <span>
            {fields.length === 0 ? "Other fields were changed since by " : "Conflict: "}
            {fields.length === 0 ? null : (
              <>
                <b class="mono">
                  <Safe text={fields[0] === "." ? path : fields.join(", ")} />
                </b>{" "}
                {fields[0] === "." ? "was deleted" : "was changed"} since by{" "}
              </>
            )}
            <Safe
              text={`${command}${run === undefined ? "" : ` of ${run}`}, ${ago(created_ms)} (${other})`}
            />
          </span>
        </p>
      ))}
      {(look.value?.objects ?? []).map(({ path, changes, more }) => (
        <section key={path} class="block">
          <h3 class="mono">
            <Safe text={path} />
          </h3>
          {changes.length === 0 ? (
            <p class="muted">What it changed is not kept.</p>
          ) : (
            <Changes changes={changes} more={more} />
          )}
        </section>
      ))}
      {notes.map((note) => (
        <p key={note} class="muted">
          <Safe text={note} />
        </p>
      ))}
      <div class="block">
        <h3>To take it back</h3>
        <p class="muted">
          In a terminal, with your own credentials: it is tried first and compared with the cluster as it is,
          then goes through iddio like any other request.
        </p>
        <p class="row">
          <CliLine line={`iddio undo apply ${id} --dry-run`} />
          <CliLine line={`iddio undo apply ${id}`} />
        </p>
      </div>
    </section>
  );
}
