let last: Promise<unknown> = Promise.resolve();

/** Works one after another, each in a task of its own, so that the page answers in between. */
export function inTurn<T>(work: () => T | Promise<T>): Promise<T> {
  const mine = last.then(nextTask).then(work);
  last = mine.catch(() => undefined);
  return mine;
}

const nextTask = () => new Promise<void>((resolve) => setTimeout(resolve));
