import { useEffect, useMemo } from "react";

/** Seconds that an item was looked at; a hidden page does not count. */
export function useStopwatch(itemId: number | undefined) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: another item starts another watch
  const watch = useMemo(() => {
    let before = 0;
    let since: number | null = document.hidden ? null : performance.now();
    const running = () => (since === null ? 0 : performance.now() - since);
    return {
      read: () => (before + running()) / 1000,
      take: () => {
        const seconds = (before + running()) / 1000;
        before = 0;
        since = performance.now();
        return seconds;
      },
      pause: () => {
        before += running();
        since = null;
      },
      resume: () => {
        since ??= performance.now();
      },
    };
  }, [itemId]);
  useEffect(() => {
    const follow = () => (document.hidden ? watch.pause() : watch.resume());
    document.addEventListener("visibilitychange", follow);
    return () => document.removeEventListener("visibilitychange", follow);
  }, [watch]);
  return watch;
}
