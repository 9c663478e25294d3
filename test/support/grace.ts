/** Of the event loop: what a client on this machine has sent is read by then, however long nobody had a turn. */
const TURNS = 20;

/** Whether what was on its way when an answer went out has come by now: after so long, and some turns of the event loop. */
export function startGrace(ms: number): () => boolean {
  let turns = 0;
  const turn = (): void => {
    turns += 1;
    if (turns < TURNS) setImmediate(turn);
  };
  setTimeout(turn, ms).unref();
  return () => turns >= TURNS;
}
