// Signals and Ctrl-C in `iddio run`. As soon as there is an agent they are the agent's; until then
// the first one ends the start, so that none is lost, and the second ends this process at once.

/** The signals that a person sends to a program, by name. */
const NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1, SIGQUIT: 3 } as const;

/** A signal came before the agent was there. */
export class EndedBySignal extends Error {
  /** As a shell tells of it. */
  readonly exitCode: number;

  constructor(signal: number) {
    super(`ended by signal ${signal}`);
    this.exitCode = 128 + signal;
  }
}

/** Who takes a signal; false: nobody is there yet. */
export type Receiver = (signal: number) => boolean;

/** Listens from its making; `using` leaves signals to the system again. */
export class RunSignals implements Disposable {
  readonly #listeners: readonly (readonly [string, () => void])[];
  #early: number | undefined;
  #receive: Receiver = () => false;
  #end: () => void = () => undefined;

  constructor() {
    this.#listeners = Object.entries(NUMBERS).map(([name, number]) => [name, () => this.take(number)]);
    for (const [name, listener] of this.#listeners) process.on(name, listener);
  }

  /** The signal that came too early for an agent. */
  get early(): number | undefined {
    return this.#early;
  }

  /** Throws EndedBySignal when one came. */
  check(): void {
    if (this.#early !== undefined) throw new EndedBySignal(this.#early);
  }

  /** Names who takes signals from now on, and how a start that nobody wants any more is ended. */
  passTo(receive: Receiver, end: () => void): void {
    this.#receive = receive;
    this.#end = end;
    if (this.#early !== undefined) end();
  }

  /** A signal, or the key that stands for one. */
  take(signal: number): void {
    if (this.#receive(signal)) return;
    if (this.#early !== undefined) {
      this[Symbol.dispose]();
      process.kill(process.pid, signal);
      return;
    }
    this.#early = signal;
    this.#end();
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) process.off(name, listener);
  }
}
