// Whatever takes callbacks that are posted to the proxy's own port. A feature implements it; the
// port knows only this.

/** Takes one callback and returns the reply. Never trusts anything that is not signed. */
export interface CallbackReceiver {
  take(callback: {
    readonly header: (name: string) => string | undefined;
    readonly body: string;
  }): Promise<{ readonly status: number; readonly said: string }>;
}
