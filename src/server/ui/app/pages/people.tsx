// The people and their acts here. Nothing is changed
// here: the identity provider gives the roles.

import { Page, Section } from "../../../../features/console/app/parts/page.tsx";
import { Safe } from "../../../../features/console/app/parts/safe-text.tsx";
import { agoText, type List, useReading } from "../net.ts";

interface Person {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly state: string;
  readonly seen_ms?: number;
}

interface Act {
  readonly id: string;
  readonly at_ms: number;
  readonly who: string;
  readonly name?: string;
  readonly act: string;
  readonly about: string;
}

/** The page. */
export function PeoplePage() {
  const people = useReading<List<Person>>("people?limit=500", 10_000);
  const acts = useReading<List<Act>>("acts?limit=100", 5000);
  return (
    <Page title="People" about="Roles come with the groups of the identity provider.">
      <table>
        <tbody>
          {people.value.value?.items.map((person) => (
            <tr key={person.id}>
              <th scope="row">
                <Safe text={person.name} />
              </th>
              <td>{person.roles.join(", ")}</td>
              <td>{person.state}</td>
              <td>{person.seen_ms === undefined ? "-" : agoText(person.seen_ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Section title="What was done">
        <table>
          <tbody>
            {acts.value.value?.items.map((act) => (
              <tr key={act.id}>
                <td>{agoText(act.at_ms)}</td>
                <td>
                  <Safe text={act.name ?? act.who} />
                </td>
                <td>{act.act}</td>
                <td class="mono">
                  <Safe text={act.about} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Section>
    </Page>
  );
}
