import { expect, test } from "vitest";
import { inTurn } from "./inTurn";

test("works follow one another, with a task between them, also behind one that fails", async () => {
  const done: string[] = [];
  const first = inTurn(() => done.push("first"));
  const failing = inTurn(() => {
    done.push("failing");
    throw new Error("no");
  });
  const third = inTurn(async () => {
    done.push("third");
    return 3;
  });
  failing.catch(() => undefined);
  await first;
  expect(done).toEqual(["first"]);
  await expect(failing).rejects.toThrow("no");
  expect(done).toEqual(["first", "failing"]);
  expect(await third).toBe(3);
  expect(done).toEqual(["first", "failing", "third"]);
});
