/**
 * The heatmap of a million pages by a thousand epochs under a wheel that turns with every frame: how long frames take
 * while zooming and panning, in a headless Chromium, with core's own answers behind the page.
 *
 * A frame's time is that between two calls of requestAnimationFrame: 16.7 ms where none is dropped.
 */
import type { Profile } from '../../core/model/profile.js';
import { profileOf } from '../helpers/profile.js';
import { Harness } from '../webview/harness.js';

const shape = { pages: 1 << 20, epochs: 1024, objects: 4096, rowsPerEpoch: 6000 } as const;

/** A movement that a user makes: wheel events at a place of the map, one each frame. */
interface Movement {
  readonly name: string;
  readonly frames: number;
  /** Wheel's delta of a frame; with Shift it pans. */
  readonly delta: number;
  readonly shift: boolean;
  /** Shares of the map's width and height. */
  readonly at: readonly [number, number];
}

const movements: readonly Movement[] = [
  { name: 'zoom in', frames: 150, delta: -20, shift: false, at: [0.4, 0.45] },
  { name: 'pan', frames: 240, delta: 12, shift: true, at: [0.4, 0.45] },
  { name: 'zoom out', frames: 150, delta: 20, shift: false, at: [0.4, 0.45] },
  { name: 'zoom in elsewhere', frames: 150, delta: -20, shift: false, at: [0.7, 0.25] },
  { name: 'pan back', frames: 240, delta: -12, shift: true, at: [0.7, 0.25] },
];

/** Milliseconds of every frame, by movement. */
export type FrameTimes = Readonly<Record<string, readonly number[]>>;

/** @param root folder of the repository, whose dist/ is built */
export async function measureHeatmap(root: string): Promise<FrameTimes> {
  const harness = new Harness(root);
  await harness.start();
  try {
    const options = { width: 1280, height: 900, saved: { view: 'heatmap' }, profile: hugeProfile(), byHttp: true };
    const shown = await harness.open(options);
    await shown.settled();
    // The coarser levels are built between requests.
    await new Promise(done => setTimeout(done, 4000));
    const times: Record<string, number[]> = {};
    for (const movement of movements) times[movement.name] = await shown.page.evaluate(move, movement);
    return times;
  } finally {
    await harness.close();
  }
}

/** In the page: a wheel event each frame. */
function move({ frames, delta, shift, at }: Movement): Promise<number[]> {
  const map = document.querySelector('.heat')!;
  const { left, top, width, height } = map.getBoundingClientRect();
  const place = { clientX: left + at[0] * width, clientY: top + at[1] * height };
  return new Promise(done => {
    const times: number[] = [];
    let last = 0;
    map.dispatchEvent(new PointerEvent('pointermove', { ...place, bubbles: true }));
    const step = (now: number) => {
      if (last > 0) times.push(now - last);
      last = now;
      if (times.length === frames) return done(times);
      const options = { ...place, deltaY: delta, shiftKey: shift, bubbles: true, cancelable: true };
      map.dispatchEvent(new WheelEvent('wheel', options));
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
}

interface FrameSummary {
  readonly frames: number;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly worst: number;
  /** Share of frames that took longer than one and a half of 16.7 ms. */
  readonly late: number;
}

function summary(times: readonly number[]): FrameSummary {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  const late = sorted.filter(time => time > 25).length / sorted.length;
  return { frames: sorted.length, median: at(0.5), p95: at(0.95), p99: at(0.99), worst: sorted.at(-1)!, late };
}

/** Every object's pages follow each other; each epoch touches a band that wanders and a few pages from all over. */
function hugeProfile(): Profile {
  const perObject = shape.pages / shape.objects;
  const small = Array.from({ length: shape.objects }, (_, i) => i);
  const base = profileOf({
    file: '/src/huge.c',
    sha256: '00',
    functions: { work: 1 },
    lines: [{ line: 2, function: 'work', object: 'block0', reads: 1000 }],
    objects: small.map(i => ({ name: `block${i}`, pages: 1, page: 16 + i, line: 10 + i })),
  });
  const { pages, epochs, rowsPerEpoch } = shape;
  const start = Float64Array.from({ length: epochs + 1 }, (_, epoch) => epoch * rowsPerEpoch);
  const page = new Uint32Array(epochs * rowsPerEpoch);
  const reads = new Uint32Array(page.length);
  const writes = new Uint32Array(page.length);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rows = page.subarray(epoch * rowsPerEpoch, (epoch + 1) * rowsPerEpoch);
    const band = Math.floor((pages * 0.8 * epoch) / epochs);
    for (let i = 0; i < rowsPerEpoch; i++) {
      const scattered = Math.imul(epoch * rowsPerEpoch + i, 2654435761) >>> 12;
      rows[i] = i % 3 === 0 ? scattered : band + ((i * 37) % 150_000);
    }
    rows.sort();
    for (let i = 0; i < rowsPerEpoch; i++) {
      reads[epoch * rowsPerEpoch + i] = 1 + (Math.imul(i + epoch, 40503) & 1023);
      writes[epoch * rowsPerEpoch + i] = i & 63;
    }
  }
  const object = Uint32Array.from({ length: pages }, (_, row) => Math.floor(row / perObject));
  return {
    ...base,
    epochs: {
      ...base.epochs,
      count: epochs,
      accesses: 1_000_000,
      endNs: Float64Array.from({ length: epochs }, (_, epoch) => (epoch + 1) * 1e6),
    },
    pages: {
      ...base.pages,
      count: pages,
      process: new Uint32Array(pages),
      // A gap behind every object.
      number: Float64Array.from({ length: pages }, (_, row) => 0x1000 + row + 64 * object[row]!),
      object,
      reads: new Float64Array(pages),
      writes: new Float64Array(pages),
      trafficReads: new Float64Array(pages),
      trafficWrites: new Float64Array(pages),
    },
    heat: {
      epochsPerBin: 1,
      start,
      page,
      reads,
      writes,
      trafficReads: new Uint32Array(page.length),
      trafficWrites: new Uint32Array(page.length),
    },
  };
}

export function showHeatmap(frames: FrameTimes): void {
  console.log(`heatmap: ${shape.pages} pages by ${shape.epochs} epochs; ms of a frame, goal 16.7`);
  const rows = [...Object.entries(frames), ['all', Object.values(frames).flat()] as const];
  for (const [name, times] of rows) {
    const { median, p95, p99, worst, late } = summary(times);
    const figures = [`median ${median.toFixed(1)}`, `95 % ${p95.toFixed(1)}`, `99 % ${p99.toFixed(1)}`];
    console.log(
      `  ${name.padEnd(20)}${figures.join('  ')}  worst ${worst.toFixed(1)}  late ${(100 * late).toFixed(1)} %`,
    );
  }
  console.log('');
}
