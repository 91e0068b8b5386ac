/** Patterns of thin lines over a part of a chart: what says without colour which kind of thing it is. */

export type Hatch = 'none' | 'rising' | 'level' | 'falling' | 'upright' | 'crossed';

/** Patterns of the tiers, the fastest first: it stays plain. What is in several tiers at once is crossed. */
const ofTiers: readonly Hatch[] = ['none', 'rising', 'level', 'falling', 'upright'];

export function hatchOfTier(tier: number, tiers: number): Hatch {
  return tier === tiers - 1 ? 'crossed' : ofTiers[tier % ofTiers.length]!;
}

interface Area {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Lines of the context's stroke style, clipped to the area; they continue from area to area. */
export function drawHatch(context: CanvasRenderingContext2D, hatch: Hatch, area: Area, apart = 7): void {
  if (hatch === 'none' || area.right <= area.left || area.bottom <= area.top) return;
  context.save();
  context.beginPath();
  context.rect(area.left, area.top, area.right - area.left, area.bottom - area.top);
  context.clip();
  context.lineWidth = 1;
  context.beginPath();
  for (const [x1, y1, x2, y2] of lines(hatch, area, apart)) {
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
  }
  context.stroke();
  context.restore();
}

type Line = readonly [number, number, number, number];

function* lines(hatch: Hatch, { left, right, top, bottom }: Area, apart: number): Generator<Line> {
  const from = (value: number) => Math.ceil(value / apart) * apart;
  if (hatch === 'level') for (let y = from(top); y < bottom; y += apart) yield [left, y + 0.5, right, y + 0.5];
  if (hatch === 'upright') for (let x = from(left); x < right; x += apart) yield [x + 0.5, top, x + 0.5, bottom];
  if (hatch === 'rising' || hatch === 'crossed') {
    for (let sum = from(left + top); sum < right + bottom; sum += apart) yield [sum - top, top, sum - bottom, bottom];
  }
  if (hatch === 'falling' || hatch === 'crossed') {
    for (let gap = from(left - bottom); gap < right - top; gap += apart) yield [gap + top, top, gap + bottom, bottom];
  }
}
