/** What the heatmap keeps of a profile from question to question: coarser levels and the axis. */
import { setImmediate } from 'node:timers';
import type { HeatTable, Profile } from '../../model/profile.js';
import { PageRows } from './pageRows.js';
import { HeatPyramid } from './pyramid.js';

/** Others wait no longer than this for the levels to be built, ms. */
const sliceMs = 8;

const pyramids = new WeakMap<HeatTable, HeatPyramid>();
const axes = new WeakMap<Profile['pages']['object'], PageRows>();
const stamps = new WeakMap<HeatTable, number>();
let lastStamp = 0;

/** The heat's levels; the coarser ones are built from now on, between other requests. */
export function pyramidOf({ heat, pages }: Profile): HeatPyramid {
  let pyramid = pyramids.get(heat);
  if (!pyramid) {
    pyramid = new HeatPyramid(heat, pages.count);
    pyramids.set(heat, pyramid);
    buildBetweenRequests(pyramid.build());
  }
  return pyramid;
}

function buildBetweenRequests(work: Iterator<void>): void {
  setImmediate(() => {
    for (const end = performance.now() + sliceMs; performance.now() < end; ) if (work.next().done) return;
    buildBetweenRequests(work);
  });
}

/** Rows of the axis; they depend on which object each page belongs to. */
export function pageRowsOf(profile: Profile): PageRows {
  const key = profile.pages.object;
  let rows = axes.get(key);
  if (!rows) axes.set(key, (rows = new PageRows(profile)));
  return rows;
}

/** A number of these very counts: who keeps bins of them can tell when they are of another profile. */
export function stampOf({ heat }: Profile): number {
  let stamp = stamps.get(heat);
  if (stamp === undefined) stamps.set(heat, (stamp = ++lastStamp));
  return stamp;
}
