import { describe, expect, it } from "vitest";
import { bestBeyondNoise } from "./noise";
import type { MethodRow } from "./queries";

const row = (method: string, mean: number | null, std: number | null, n = 3): MethodRow =>
  ({
    method,
    statistics: { task_accuracy: { mean, std, n }, perplexity: { mean, std, n } },
  }) as unknown as MethodRow;

describe("bestBeyondNoise", () => {
  it("marks one method when it is clear of the next", () => {
    const found = bestBeyondNoise([row("A", 0.5, 0.01), row("B", 0.3, 0.01)], "task_accuracy");
    expect([...found]).toEqual(["A"]);
  });
  it("marks all that cannot be told apart together", () => {
    const found = bestBeyondNoise(
      [row("A", 0.5, 0.05), row("B", 0.48, 0.05), row("C", 0.1, 0.01)],
      "task_accuracy",
    );
    expect([...found].sort()).toEqual(["A", "B"]);
  });
  it("marks nothing by means of seeds that all agree", () => {
    const found = bestBeyondNoise(
      [row("A", 0.03, 0, 2), row("B", 0, 0, 2), row("C", 0, 0, 2)],
      "task_accuracy",
    );
    expect(found.size).toBe(0);
  });
  it("takes the lowest perplexity as best", () => {
    expect([...bestBeyondNoise([row("A", 1.2, 0.01), row("B", 2, 0.01)], "perplexity")]).toEqual([
      "A",
    ]);
  });
  it("marks nothing with one seed or one method", () => {
    expect(
      bestBeyondNoise([row("A", 0.5, null, 1), row("B", 0.3, null, 1)], "task_accuracy").size,
    ).toBe(0);
    expect(bestBeyondNoise([row("A", 0.5, 0.1)], "task_accuracy").size).toBe(0);
  });
});
