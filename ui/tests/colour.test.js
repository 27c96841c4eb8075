import assert from "node:assert/strict";
import { test } from "node:test";
import { colour, ON_DARK, ON_LIGHT } from "../colour.js";

function luminance(rgb) {
  const [r, g, b] = rgb.match(/\d+/gu).map((each) => {
    const value = Number(each) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

test("every hue can be read on every background it stands on", () => {
  for (let hue = 0; hue < 360; hue += 1) {
    const light = colour(hue, ON_LIGHT);
    const dark = colour(hue, ON_DARK);
    for (const back of ["rgb(255 255 255)", "rgb(253 252 250)", "rgb(244 242 238)"]) {
      assert.ok(contrast(light, back) >= 4.5, `${hue} on ${back}: ${contrast(light, back)}`);
    }
    for (const back of ["rgb(23 25 27)", "rgb(30 33 35)", "rgb(38 41 44)"]) {
      assert.ok(contrast(dark, back) >= 4.5, `${hue} on ${back}: ${contrast(dark, back)}`);
    }
  }
});

test("the colours are those of HSLuv", () => {
  // From the reference values of HSLuv, revision 4, saturation 100.
  assert.equal(colour(12.177050630061776, 53.23711559542933), "rgb(255 0 0)");
  assert.equal(colour(265.874320219, 32.3008626676), "rgb(0 0 255)");
});
