// Happy Eyeballs (RFC 8305) over addresses that are already known: the next one is tried
// when the one before has failed or kept us waiting, and the first to succeed wins.

/** A pause that a healthy path rarely needs (RFC 8305 section 5). */
const STAGGER_MS = 250;

/**
 * Resolves with the first attempt to succeed; what later ones still bring is discarded. Rejects with the
 * first failure that `isFinal`, or, when all have failed, with the last.
 */
export function raceAddresses<T>(
  addresses: readonly string[],
  attempt: (address: string) => Promise<T>,
  discard: (late: T) => void,
  isFinal: (error: unknown) => boolean = () => false,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let next = 0;
    let failed = 0;
    let isSettled = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = (act: () => void) => {
      isSettled = true;
      clearTimeout(timer);
      act();
    };
    const start = () => {
      const address = addresses[next];
      if (address === undefined) return;
      next += 1;
      clearTimeout(timer);
      if (next < addresses.length) timer = setTimeout(start, STAGGER_MS);
      attempt(address).then(
        (value) => {
          if (isSettled) discard(value);
          else settle(() => resolve(value));
        },
        (error: unknown) => {
          failed += 1;
          if (isSettled) return;
          if (isFinal(error) || failed === addresses.length) settle(() => reject(error));
          else start();
        },
      );
    };
    start();
  });
}
