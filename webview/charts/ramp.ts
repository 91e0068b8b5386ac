/**
 * The heat's colours: a few stops of the theme, joined in Oklab (Ottosson 2020) so that equal steps of the logarithm
 * look equally far apart, and quantised to a table. Pure.
 */

export type Rgb = readonly [number, number, number];

/** `#rrggbb`, or the `rgba(r, g, b, a)` that a theme's colour with transparency becomes, here without it. */
export function parseHex(text: string): Rgb {
  const channels = /^rgba?\((\d+), ?(\d+), ?(\d+)/.exec(text.trim());
  if (channels) return [Number(channels[1]), Number(channels[2]), Number(channels[3])];
  const digits = /^#([0-9a-f]{6})$/i.exec(text.trim())?.[1];
  if (!digits) throw new RangeError(`colour ${text}: must read #rrggbb`);
  const value = Number.parseInt(digits, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

const linear = (channel: number) => {
  const c = channel / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
};
const encoded = (value: number) => {
  const c = Math.max(0, Math.min(1, value));
  return Math.round(255 * (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055));
};

/** Lightness 0 to 1, and the two opponent axes. */
export function oklab([red, green, blue]: Rgb): Rgb {
  const [r, g, b] = [linear(red), linear(green), linear(blue)];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function rgb([lightness, a, b]: Rgb): Rgb {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encoded(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** Entries of the table; an eye tells fewer apart. */
export const rampSize = 256;

/** Pixels as a canvas of a little-endian machine keeps them: 0xaabbggrr. */
export function ramp(stops: readonly Rgb[]): Uint32Array {
  if (stops.length < 2) throw new RangeError(`a ramp needs 2 colours, got ${stops.length}`);
  const labs = stops.map(oklab);
  const table = new Uint32Array(rampSize);
  for (let i = 0; i < rampSize; i++) {
    const position = (i / (rampSize - 1)) * (labs.length - 1);
    const low = Math.min(Math.floor(position), labs.length - 2);
    const part = position - low;
    const mix = (axis: 0 | 1 | 2) => labs[low]![axis] * (1 - part) + labs[low + 1]![axis] * part;
    const [r, g, b] = rgb([mix(0), mix(1), mix(2)]);
    table[i] = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  return table;
}
