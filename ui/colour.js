// @ts-check
/**
 * A person's colour (XEP-0392): the hue is given, the lightness is ours to choose for the background it stands on.
 *
 * HSLuv is used because its lightness is one the eye sees: at one value every hue has the same contrast, so it is
 * enough to choose that value once for light and once for dark. (https://www.hsluv.org, the definition)
 */

/** Contrast of at least 4.5 : 1 to white, and to the light page. */
export const ON_LIGHT = 42;
/** Contrast of at least 4.5 : 1 to the dark page. */
export const ON_DARK = 74;

const RGB_FROM_XYZ = /** @type {const} */ ([
  [3.240969941904521, -1.537383177570093, -0.498610760293],
  [-0.96924363628087, 1.87596750150772, 0.041555057407175],
  [0.055630079696993, -0.20397695888897, 1.056971514242878],
]);
const WHITE_U = 0.19783000664283;
const WHITE_V = 0.46831999493879;
const KAPPA = 903.2962962;
const EPSILON = 0.0088564516;

/**
 * The greatest chroma that sRGB has at this lightness and hue: the distance to the nearest of the six lines that
 * bound it.
 *
 * @param {number} lightness 0 to 100
 * @param {number} angle radians
 */
function greatestChroma(lightness, angle) {
  const cube = (lightness + 16) ** 3 / 1560896;
  const share = cube > EPSILON ? cube : lightness / KAPPA;
  let nearest = Infinity;
  for (const [m1, m2, m3] of RGB_FROM_XYZ) {
    for (const edge of [0, 1]) {
      const top1 = (284517 * m1 - 94839 * m3) * share;
      const top2 = (838422 * m3 + 769860 * m2 + 731718 * m1) * lightness * share - 769860 * edge * lightness;
      const bottom = (632260 * m3 - 126452 * m2) * share + 126452 * edge;
      const length = top2 / bottom / (Math.sin(angle) - (top1 / bottom) * Math.cos(angle));
      if (length >= 0) nearest = Math.min(nearest, length);
    }
  }
  return nearest;
}

/** @param {number} linear */
function encoded(linear) {
  const value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.round(Math.min(1, Math.max(0, value)) * 255);
}

/**
 * The most saturated colour of a hue at a lightness, as `rgb(...)`.
 *
 * @param {number} hue degrees
 * @param {number} lightness 0 to 100, without the ends
 * @returns {string}
 */
export function colour(hue, lightness) {
  const angle = (hue / 180) * Math.PI;
  const chroma = greatestChroma(lightness, angle);
  const u = (chroma * Math.cos(angle)) / (13 * lightness) + WHITE_U;
  const v = (chroma * Math.sin(angle)) / (13 * lightness) + WHITE_V;
  const y = lightness > 8 ? ((lightness + 16) / 116) ** 3 : lightness / KAPPA;
  const x = (9 * y * u) / (4 * v);
  const z = (9 * y - 15 * v * y - v * x) / (3 * v);
  const [r, g, b] = RGB_FROM_XYZ.map(([m1, m2, m3]) => encoded(m1 * x + m2 * y + m3 * z));
  return `rgb(${r} ${g} ${b})`;
}
