// The form view: each protocol with its hosts, its groups, and the action for each group in each
// scope, as a matrix. A change of a cell is a change of one word in the text.

import { useEffect, useState } from "preact/hooks";
import { call } from "../net/call.ts";
import { Empty } from "../parts/empty.tsx";
import { Icon } from "../parts/icon.tsx";
import { draft, editDraft } from "./draft.ts";
import {
  type Block,
  CELL_ACTIONS,
  type Cell,
  outlineOf,
  withCell,
  withCommand,
  withFallback,
  withInspect,
  withoutCommand,
} from "./outline.ts";

/** The form. */
export function PolicyForm() {
  const blocks = outlineOf(draft.value);
  if (blocks === undefined)
    return (
      <Empty icon="warning" title="The text cannot be read as YAML">
        <p>Fix it in the YAML view, which shows each problem at its line.</p>
      </Empty>
    );
  if (blocks.length === 0)
    return (
      <Empty icon="policy" title="The policy is empty">
        <p>Nothing is looked into, so nothing is held. Begin in the YAML view.</p>
      </Empty>
    );
  return (
    <>
      <p class="legend">
        <b class="action-allow">allow</b> goes through. <b class="action-escalate">escalate</b> waits for a
        person, on the page of approvals. <b class="action-deny">deny</b> is refused at once.
      </p>
      <div class="blocks">
        {blocks.map((block) => (
          <BlockForm key={block.protocol} block={block} />
        ))}
      </div>
    </>
  );
}

function BlockForm({ block }: { readonly block: Block }) {
  const { protocol, fallback, inspect, groups, places, commands } = block;
  const [entry, setEntry] = useState("");
  return (
    <section class="card block-form" aria-label={protocol}>
      <h2>{protocol}</h2>
      <div class="inspect-list">
        <h3>Looks into</h3>
        <ul class="chips">
          {inspect.map((each) => (
            <li key={each} class="chip mono">
              {each}
              <button
                type="button"
                class="quiet"
                aria-label={`Remove ${each}`}
                onClick={() => editDraft(withInspect(draft.value, protocol, each, false))}
              >
                <Icon name="close" />
              </button>
            </li>
          ))}
          <li>
            <form
              class="row"
              onSubmit={(event) => {
                event.preventDefault();
                if (entry.trim() === "") return;
                editDraft(withInspect(draft.value, protocol, entry.trim(), true));
                setEntry("");
              }}
            >
              <input
                class="small"
                aria-label={`Host that ${protocol} looks into`}
                placeholder="add a host"
                value={entry}
                onInput={(event) => setEntry(event.currentTarget.value)}
              />
              <button type="submit" class="quiet">
                Add
              </button>
            </form>
          </li>
        </ul>
      </div>
      {groups.length === 0 ? null : (
        <div class="matrix-scroll">
          <table class="matrix">
            <thead>
              <tr>
                <th scope="col">Group</th>
                {places.map((place) => (
                  <th key={place.label} scope="col">
                    {place.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {groups.map(({ name, of }) => (
                <tr key={name}>
                  <th scope="row">
                    {name}
                    <small class="muted">{of}</small>
                  </th>
                  {places.map((place) => {
                    const value = block.cell(place, name);
                    return (
                      <td key={place.label}>
                        <select
                          class={`action action-${value === "" ? "none" : value}`}
                          aria-label={`${name}, ${place.label}`}
                          value={value}
                          onChange={(event) =>
                            editDraft(withCell(draft.value, place, name, event.currentTarget.value as Cell))
                          }
                        >
                          <option value="">default ({fallback})</option>
                          {CELL_ACTIONS.map((action) => (
                            <option key={action} value={action}>
                              {action}
                            </option>
                          ))}
                        </select>
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {commands.length === 0 ? null : (
        <ul class="chips">
          {commands.map((rule) => (
            <li
              key={`${rule.place.label} ${rule.action} ${rule.command}`}
              class={`chip action-${rule.action}`}
            >
              {rule.action} <span class="mono">{rule.command}</span>{" "}
              {rule.place.label === "everywhere" ? null : <small>{rule.place.label}</small>}
              <button
                type="button"
                class="quiet"
                aria-label={`Remove the rule ${rule.action} ${rule.command}`}
                onClick={() => editDraft(withoutCommand(draft.value, rule))}
              >
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <div class="row">
        <CommandRule protocol={protocol} />
        <span class="spacer" />
        <label class="row">
          <span class="muted">Everything else</span>
          <select
            class={`action action-${fallback}`}
            value={fallback}
            onChange={(event) => editDraft(withFallback(draft.value, protocol, event.currentTarget.value))}
          >
            {CELL_ACTIONS.map((action) => (
              <option key={action} value={action}>
                {action}
              </option>
            ))}
          </select>
        </label>
      </div>
    </section>
  );
}

/** The commands that this machine's agents sent of late, to choose from. */
function useSeenCommands(protocol: string): readonly string[] {
  const [seen, setSeen] = useState<readonly string[]>([]);
  useEffect(() => {
    call("audit_read", { log: "audit", limit: 300, filter: { protocol } }).then(
      ({ rows }) => {
        const names = rows.map(({ fields }) => fields.command);
        setSeen([...new Set(names.filter((name): name is string => typeof name === "string"))].sort());
      },
      () => undefined,
    );
  }, [protocol]);
  return seen;
}

function CommandRule({ protocol }: { readonly protocol: string }) {
  const seen = useSeenCommands(protocol);
  const [command, setCommand] = useState("");
  const [action, setAction] = useState<Cell>("allow");
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        if (command.trim() === "") return;
        editDraft(withCommand(draft.value, protocol, command.trim(), action));
        setCommand("");
      }}
    >
      <select
        aria-label={`Action of a rule for ${protocol}`}
        value={action}
        onChange={(event) => setAction(event.currentTarget.value as Cell)}
      >
        {CELL_ACTIONS.map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </select>
      <input
        class="small"
        aria-label={`Command of a rule for ${protocol}`}
        placeholder="pods delete"
        list={`commands-${protocol}`}
        autocomplete="off"
        value={command}
        onInput={(event) => setCommand(event.currentTarget.value)}
      />
      <datalist id={`commands-${protocol}`}>
        {seen.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <button type="submit">Add a rule</button>
    </form>
  );
}
