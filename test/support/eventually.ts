// Waiting for something that announces itself nowhere: asks again until the answer is good.

const POLL_MS = 10;
const GIVE_UP_MS = 60_000;

/** Asks again until the answer is good; fails after `giveUpMs`, a minute, with what it saw last. */
export async function eventually<T>(
  ask: () => Promise<T>,
  isGood: (answer: T) => boolean,
  giveUpMs = GIVE_UP_MS,
): Promise<T> {
  const deadline = Date.now() + giveUpMs;
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    if (Date.now() > deadline)
      throw new Error(`it did not come to pass; last seen: ${JSON.stringify(answer)}`);
    await Bun.sleep(POLL_MS);
  }
}
