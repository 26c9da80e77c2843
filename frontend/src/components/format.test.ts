import { describe, expect, test } from "vitest";
import {
  ago,
  bytes,
  count,
  counted,
  difference,
  dollars,
  duration,
  eta,
  fixed,
  meanSpread,
  percent,
  percentValue,
  perplexity,
  pValue,
  score,
  shortTime,
  slug,
  THIN,
} from "./format";

const plain = (text: string) => text.replaceAll(THIN, " ");

describe("numbers", () => {
  test("what was not measured is a dash, never 0", () => {
    for (const text of [percent(null), perplexity(undefined), score(Number.NaN), count(null)])
      expect(text).toBe("–");
    expect(meanSpread(null, null)).toBe("–");
  });

  test("percent has one decimal, perplexity two, scores three", () => {
    expect(plain(percent(0.483))).toBe("48.3 %");
    expect(percentValue(0.4826, 2)).toBe("48.26");
    expect(perplexity(1.3)).toBe("1.30");
    expect(score(-0.1234)).toBe("−0.123");
  });

  test("a value that rounds to zero has no minus sign", () => {
    expect(fixed(-0.0001, 2)).toBe("0.00");
    expect(difference(-0.04)).toBe("0.0");
    expect(difference(0.04)).toBe("0.0");
  });

  test("a difference shows its sign", () => {
    expect(difference(2.71)).toBe("+2.7");
    expect(difference(-9)).toBe("−9.0");
  });

  test("mean and spread stand together; one seed has no spread", () => {
    expect(meanSpread(0.483, 0.009, 1, 100)).toBe("48.3 ± 0.9");
    expect(meanSpread(0.483, null, 1, 100)).toBe("48.3");
  });

  test("counts have thin spaces between thousands", () => {
    expect(plain(count(7466))).toBe("7 466");
    expect(plain(count(1_000_000))).toBe("1 000 000");
    expect(count(-12)).toBe("−12");
    expect(plain(counted(1, "row"))).toBe("1 row");
    expect(plain(counted(7466, "row"))).toBe("7 466 rows");
  });

  test("small p-values are a bound", () => {
    expect(pValue(0.0004)).toBe("< 0.001");
    expect(pValue(0.0312)).toBe("0.031");
    expect(pValue(0.42)).toBe("0.42");
  });

  test("bytes take the unit that fits", () => {
    expect(plain(bytes(512))).toBe("512 B");
    expect(plain(bytes(1_400_000))).toBe("1.4 MB");
    expect(plain(bytes(999_960))).toBe("1.0 MB");
    expect(plain(bytes(41_300_000_000))).toBe("41.3 GB");
  });
});

describe("times", () => {
  test("durations are exact to what matters", () => {
    expect(plain(duration(0.84))).toBe("0.8 s");
    expect(plain(duration(14))).toBe("14 s");
    expect(plain(duration(134))).toBe("2 m 14 s");
    expect(plain(duration(59.7))).toBe("1 m 00 s");
    expect(plain(duration(11_100))).toBe("3 h 05 m");
    expect(plain(duration(187_200))).toBe("2 d 4 h");
  });

  test("estimates are coarse and say so", () => {
    expect(plain(eta(2))).toBe("≈ 5 s");
    expect(plain(eta(47))).toBe("≈ 50 s");
    expect(plain(eta(180))).toBe("≈ 3 min");
    expect(plain(eta(5400))).toBe("≈ 1.5 h");
    expect(eta(null)).toBe("–");
  });

  test("today shows the clock, other days the date", () => {
    const now = new Date(2026, 10, 23, 18, 0, 0);
    expect(shortTime(new Date(2026, 10, 23, 14, 5, 9).toISOString(), now)).toBe("14:05:09");
    expect(shortTime(new Date(2026, 10, 21, 14, 5, 9).toISOString(), now)).toBe("21 Nov, 14:05");
    expect(shortTime(new Date(2025, 2, 1, 9, 0).toISOString(), now)).toContain("2025");
  });

  test("the past is counted in its largest unit", () => {
    const now = new Date("2026-11-23T12:00:00Z");
    expect(ago("2026-11-23T11:59:58Z", now)).toBe("just now");
    expect(plain(ago("2026-11-23T11:59:20Z", now))).toBe("40 s ago");
    expect(plain(ago("2026-11-23T09:00:00Z", now))).toBe("3 h ago");
    expect(plain(ago("2026-11-20T12:00:00Z", now))).toBe("3 d ago");
  });
});

test("a slug is a file name", () => {
  expect(slug("AFT · boundary · β 0.3")).toBe("aft-boundary-beta-0.3");
});

test("shows what a few requests cost", () => {
  expect([dollars(0.0011), dollars(12.5)]).toEqual(["$0.0011", "$12.50"]);
});
