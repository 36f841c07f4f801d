// Reads things that only a person may see: recordings, saved objects of undo, effects. They are
// read at once where that costs nobody a touch or a code; else they wait until somebody asks for
// them. The shown text stays while it is read again.

import { useEffect, useState } from "preact/hooks";
import type { CallMethod, ControlMethods } from "../../../../api/methods.ts";
import { call, send } from "../net/call.ts";

/** A reading that may need a person. */
export interface Look<T> {
  readonly value: T | undefined;
  /** It waits for `ask`. */
  readonly isAsked: boolean;
  readonly problem: Error | undefined;
  /** Reads it, with the dialog that asks for a touch or a code. */
  ask(): Promise<void>;
  /** Reads it again, without asking anybody. */
  reload(): void;
}

/** Looks at a method's answer; without an input at none. */
export function useLook<M extends CallMethod>(
  method: M,
  input: ControlMethods[M]["input"] | undefined,
): Look<ControlMethods[M]["output"]> {
  type Output = ControlMethods[M]["output"];
  const [value, setValue] = useState<Output>();
  const [isAsked, setAsked] = useState(false);
  const [problem, setProblem] = useState<Error>();
  const [count, setCount] = useState(0);
  const key = JSON.stringify(input);
  useEffect(() => {
    setValue(undefined);
    setAsked(false);
    setProblem(undefined);
  }, [key]);
  useEffect(() => {
    if (input === undefined) return;
    let isGone = false;
    // Without the dialog: a look at a page must not ask for a touch.
    void send(method, input).then(
      async (response) => {
        const answer = (await response.json()) as Output & { readonly error?: string };
        if (isGone) return;
        if (response.ok) {
          setValue(answer);
          setAsked(false);
        } else if (response.status === 403) setAsked(true);
        else setProblem(new Error(answer.error ?? `the daemon answered ${response.status}`));
      },
      () => undefined,
    );
    return () => {
      isGone = true;
    };
  }, [key, count]);
  return {
    value,
    isAsked: isAsked && value === undefined,
    problem,
    ask: async () => {
      if (input === undefined) return;
      setValue(await call(method, input));
      setAsked(false);
      setProblem(undefined);
    },
    reload: () => setCount((each) => each + 1),
  };
}
