// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { bars, byHour, span, sums } from "../connection_history.js";

/**
 * @param {import("../protocol.js").StretchKind} kind
 * @param {number} from
 * @param {number} to
 */
const stretch = (kind, from, to) => ({ kind, from, to, cause: "why" });

test("a stretch that began before the picture is drawn from its edge and told from its beginning", () => {
  const [bar] = bars([stretch("live", 0, 200)], 100, 200);
  assert.deepEqual(bar, { kind: "live", from: 0, to: 200, cause: "why", start: 0, width: 1 });
});

test("a drop that is too short to be seen is seen, within the picture and on top", () => {
  const drawn = bars([stretch("live", 0, 999_999), stretch("away", 999_999, 1_000_000)], 0, 1_000_000);
  assert.deepEqual(drawn.map((bar) => bar.kind), ["live", "away"]);
  const away = drawn[1];
  assert.ok(away && away.width > 0.001 && away.start + away.width <= 1);
});

test("what lies outside the picture is not in it", () => {
  assert.deepEqual(bars([stretch("live", 0, 10), stretch("away", 90, 95)], 20, 80), []);
  assert.deepEqual(bars([stretch("live", 0, 10)], 10, 10), []);
});

test("the sums are those of the time that is shown, from well to not at all", () => {
  const history = [stretch("asleep", 0, 60), stretch("live", 60, 90), stretch("away", 90, 92), stretch("live", 92, 100)];
  assert.deepEqual(sums(history, 50, 100), [
    { kind: "live", length: 38, times: 2 },
    { kind: "away", length: 2, times: 1 },
    { kind: "asleep", length: 10, times: 1 },
  ]);
});

test("losses are counted by the hour and by how they happened, the most frequent first", () => {
  const drops = [3, 3, 3, 14].map((hour, n) => ({ at: hour, manner: n === 0 ? "no answer" : "code 1012" }));
  assert.deepEqual(byHour(drops, (at) => at), [
    { hour: 3, count: 3, manners: [{ manner: "code 1012", count: 2 }, { manner: "no answer", count: 1 }] },
    { hour: 14, count: 1, manners: [{ manner: "code 1012", count: 1 }] },
  ]);
});

test("a length is told in its two largest units", () => {
  assert.deepEqual(span(4_400), { key: "ui-span-seconds", args: { s: 4 } });
  assert.deepEqual(span(64_000), { key: "ui-span-minutes", args: { m: 1, s: 4 } });
  assert.deepEqual(span(3_840_000), { key: "ui-span-hours", args: { h: 1, m: 4 } });
  assert.deepEqual(span(200_000_000), { key: "ui-span-days", args: { d: 2, h: 7 } });
});
