import { describe, expect, it } from "vitest";
import { heat, tint, tokenPieces } from "./heat";

describe("tokenPieces", () => {
  it("gives the text back, with hidden tokens in their place", () => {
    const pieces = tokenPieces("Ann has 7", [3, 3, 7, 9, 9]);
    expect(pieces.map((one) => one.text)).toEqual(["Ann", "", " has", " 7", ""]);
    expect(pieces.map((one) => one.hidden)).toEqual([false, true, false, false, true]);
  });
  it("counts code points", () => {
    expect(tokenPieces("🙂 a", [1, 3]).map((one) => one.text)).toEqual(["🙂", " a"]);
  });
  it("stops where the text was cut", () => {
    expect(tokenPieces("ab", [1, 3, 9]).map((one) => one.text)).toEqual(["a", "b"]);
  });
});

describe("colours", () => {
  it("runs from 0 to −6 and no further", () => {
    expect([0, -6, -60].map(heat)).toEqual([0, 58, 58]);
    expect(heat(-3)).toBe(29);
  });
  it("is centred on 0", () => {
    expect(tint(0)).toEqual({ side: "none", strength: 0 });
    expect(tint(3)).toEqual({ side: "up", strength: 58 });
    expect(tint(-9)).toEqual({ side: "down", strength: 58 });
  });
});
