// MCP servers that agents use: who they are, which tools a person has seen, and those that wait
// because they have changed. A server's description is foreign text; a person accepts exactly the
// text that was on the screen.

import { useEffect, useState } from "preact/hooks";
import type { ControlMethods } from "../../../../api/methods.ts";
import type { TierOrUnknown } from "../../../../model/tier.ts";
import { CallFailed, call } from "../net/call.ts";
import { onEvent, onRefresh } from "../net/events.ts";
import { CliLine } from "../parts/cli-line.tsx";
import { Empty, ProblemNotice } from "../parts/empty.tsx";
import { Icon } from "../parts/icon.tsx";
import { MemberDiff, TextDiff } from "../parts/member-diff.tsx";
import { ActButton, Page } from "../parts/page.tsx";
import { Safe } from "../parts/safe-text.tsx";
import { TierBadge } from "../parts/tier-badge.tsx";
import { say } from "../parts/toast.tsx";
import { ago } from "../state/clock.ts";
import { useLoaded } from "../state/load.ts";
import { goTo, hrefOf, route } from "../state/route.ts";

type Shown = ControlMethods["mcp_show"]["output"];
type Server = Shown["server"];
type Item = Shown["items"][number];

/** The page. */
export function McpPage() {
  const servers = useLoaded("mcp_list", {}, ["mcp_server_seen", "mcp_review_needed", "policy_reloaded"]);
  const list = servers.value.value?.servers;
  const name = route.value.rest;
  return (
    <Page title="MCP" about="Servers that agents use, and the tools of each that a person has seen">
      <ProblemNotice error={servers.problem.value} />
      {list?.length === 0 ? (
        <Empty icon="mcp" title="No MCP server was seen yet">
          <p>
            Let a client start its servers through iddio. The tools of each are pinned when they are first
            seen; what changes later is hidden from the agent until you have looked at it here.
          </p>
          <p>
            <CliLine line="iddio mcp install" />
          </p>
        </Empty>
      ) : null}
      {list?.some((each) => each.name === name) === true ? (
        <Open key={name} name={name} onChanged={servers.reload} />
      ) : null}
      {list === undefined || list.length === 0 ? null : (
        <ul class="lines" aria-label="Servers">
          {list.map((each) => (
            <Line key={each.name} server={each} isOpen={each.name === name} />
          ))}
        </ul>
      )}
      <p class="page-foot">
        <CliLine label="In a terminal" line="iddio mcp list" />
      </p>
    </Page>
  );
}

function Line({ server, isOpen }: { readonly server: Server; readonly isOpen: boolean }) {
  const { name, tools, waits, last_ms } = server;
  return (
    <li>
      <a
        class="record-line"
        href={hrefOf("mcp", name)}
        aria-current={isOpen ? "true" : undefined}
        onClick={(event) => {
          event.preventDefault();
          goTo("mcp", name, true);
        }}
      >
        <span class="record-what">
          <b>
            <Safe text={name} />
          </b>{" "}
          <span class="muted mono">
            <Safe text={placeOf(server)} />
          </span>
        </span>
        {waits === 0 ? null : <span class="waits">{waits === 1 ? "1 waits" : `${waits} wait`}</span>}
        <span class="record-state muted">
          {tools} {tools === 1 ? "tool" : "tools"}, {ago(last_ms)}
        </span>
      </a>
    </li>
  );
}

/** The shown review, and the digest that was read before it: the daemon refuses an answer when something came since. */
interface Reading extends Shown {
  readonly digest: string;
}

function Open({ name, onChanged }: { readonly name: string; readonly onChanged: () => void }) {
  const [shown, setShown] = useState<Reading>();
  const [problem, setProblem] = useState<Error>();
  const [isStale, setStale] = useState(false);
  const read = async () => {
    const { digest } = await call("mcp_digest", { name });
    setShown({ ...(await call("mcp_show", { name })), digest });
    setStale(false);
  };
  useEffect(() => {
    read().catch((error: unknown) => setProblem(error instanceof Error ? error : new Error(String(error))));
    // The open review is not replaced under the pointer; the page says that there is more.
    const stops = [
      onRefresh(() => setStale(true)),
      onEvent(({ tag }) => (tag === "mcp_review_needed" ? setStale(true) : undefined)),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [name]);
  if (problem !== undefined) return <ProblemNotice error={problem} />;
  if (shown === undefined) return <p class="muted">Reading…</p>;
  const { server, items, digest } = shown;
  const accept = async (only?: string) => {
    try {
      const { accepted } = await call("mcp_review", {
        name,
        digest,
        ...(only === undefined ? {} : { items: [only] }),
      });
      say(`Accepted: ${accepted}`);
    } catch (error) {
      if (error instanceof CallFailed && error.code === "not-what-was-shown") setStale(true);
      throw error;
    }
    onChanged();
    await read();
  };
  const waiting = items.filter(({ state }) => state === "waits");
  const pinned = items.filter(({ state }) => state === "pinned");
  return (
    <section class="card record" aria-label="The server">
      <header class="row">
        <h2>
          <Safe text={name} />
        </h2>
        {server.table === undefined ? null : <span class="run">table {server.table}</span>}
        <span class="spacer" />
        <ActButton
          class="quiet"
          act={() =>
            call("mcp_forget", { name }).then(() => {
              say(`${name} is forgotten`);
              goTo("mcp", "", true);
              onChanged();
            })
          }
        >
          Forget it
        </ActButton>
        <button type="button" class="quiet" onClick={() => goTo("mcp", "", true)}>
          <Icon name="close" /> Close
        </button>
      </header>
      <Facts server={server} />
      {isStale ? (
        <p class="row">
          <span class="muted">Something has changed since this was read.</span>
          <ActButton act={read}>Read it again</ActButton>
        </p>
      ) : null}
      {server.pending_identity === undefined ? null : (
        <Waiting title="Another program or address under this name" act={() => accept("identity")}>
          <MemberDiff
            before={JSON.stringify(server.identities.at(-1) ?? {})}
            after={JSON.stringify(server.pending_identity)}
          />
        </Waiting>
      )}
      {server.pending_instructions === undefined ? null : (
        <Waiting title="Its instructions" act={() => accept("instructions")}>
          <TextDiff before={server.instructions} after={server.pending_instructions} />
        </Waiting>
      )}
      {waiting.map((item) => (
        <Waiting
          key={`${item.kind} ${item.name}`}
          title={`${item.kind.slice(0, -1)} ${item.name}`}
          why={item.why}
          twin={item.looks_like}
          act={() => accept(`${item.kind} ${item.name}`)}
        >
          <MemberDiff before={item.pinned} after={item.pending} />
        </Waiting>
      ))}
      {server.waits === 0 && server.reviewed ? null : (
        <p class="row">
          <ActButton class="primary" act={() => accept()}>
            <Icon name="check" />{" "}
            {server.waits === 0 ? "I have seen these tools" : "Accept all that is shown"}
          </ActButton>
          <CliLine line={`iddio mcp review ${name} --accept`} />
        </p>
      )}
      <Pinned items={pinned} />
    </section>
  );
}

function Facts({ server }: { readonly server: Server }) {
  const identity = server.identities.at(-1);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["Runs", placeOf(server)],
    ["Code", codeOf(server)],
    ["Calls itself", server.title],
    ["Protocol", server.version],
    [
      "Judged by",
      server.table === undefined ? (server.trusted ? "its word" : "its word, not trusted") : "known tools",
    ],
    ["Reached at", identity?.kind === "http" ? server.url : undefined],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) =>
        value === undefined ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="mono">
              <Safe text={value} />
            </dd>
          </div>
        ),
      )}
    </dl>
  );
}

function Waiting({
  title,
  why,
  twin,
  act,
  children,
}: {
  readonly title: string;
  readonly why?: string | undefined;
  readonly twin?: string | undefined;
  readonly act: () => Promise<void>;
  readonly children: preact.ComponentChildren;
}) {
  return (
    <section class="block waiting">
      <h3>
        <span>
          <span class="waits">waits</span> <Safe text={title} />
        </span>
        <ActButton label={`Accept ${title}`} act={act}>
          <Icon name="check" /> Accept
        </ActButton>
      </h3>
      {why === undefined ? null : (
        <p class="muted">
          <Safe text={why} />
        </p>
      )}
      {twin === undefined ? null : (
        <p class="problem">
          <Icon name="warning" />
          <span>
            Its name looks like that of <Safe text={twin} />
          </span>
        </p>
      )}
      {children}
    </section>
  );
}

function Pinned({ items }: { readonly items: readonly Item[] }) {
  if (items.length === 0) return null;
  return (
    <section class="block">
      <h3>Pinned</h3>
      <ul class="lines">
        {items.map(({ kind, name, tier, action, looks_like, pinned }) => (
          <li key={`${kind} ${name}`}>
            <b class="mono">
              <Safe text={name} />
            </b>
            {tier === undefined ? (
              <span class="muted">{kind.slice(0, -1)}</span>
            ) : (
              <TierBadge tier={tier as TierOrUnknown} />
            )}
            {action === undefined ? null : <span class={`action-${action}`}>{action}</span>}
            {looks_like === undefined ? null : (
              <span class="waits">
                looks like <Safe text={looks_like} />
              </span>
            )}
            <small class="muted">
              <Safe text={descriptionOf(pinned)} />
            </small>
          </li>
        ))}
      </ul>
    </section>
  );
}

function descriptionOf(json: string | undefined): string {
  try {
    const { description } = JSON.parse(json ?? "{}") as { readonly description?: unknown };
    return typeof description === "string" ? (description.split("\n")[0] ?? "").slice(0, 160) : "";
  } catch {
    return "";
  }
}

function placeOf({ identities, pending_identity }: Server): string {
  const identity = identities.at(-1) ?? pending_identity;
  if (identity === undefined) return "";
  return identity.kind === "http"
    ? (identity.url ?? "")
    : [identity.command ?? "", ...(identity.args ?? [])].join(" ");
}

function codeOf({ identities }: Server): string | undefined {
  const identity = identities.at(-1);
  if (identity === undefined || identity.kind === "http") return identity?.issuer;
  if (identity.package !== undefined) return identity.package;
  if (identity.code_sha256 !== undefined) return `sha256 ${identity.code_sha256.slice(0, 16)}`;
  return `not pinned: ${identity.unpinned ?? "unknown"}`;
}
