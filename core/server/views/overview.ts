/** Overview: the run in a dozen figures, its hottest lines and allocations, and what to be careful about. */
import { CLASS_NAMES, COLD, HOT, WARM } from '../../model/profile.js';
import type { OverviewFacts } from '../../protocol.js';
import { exitText } from '../annotations.js';
import { location, type View } from './view.js';

const topRows = 10;

export const overview: View = (index, _query, selection) => {
  const { profile } = index;
  const { lines, functions, objects, files, pages, totals, program, epochs } = profile;
  const classes = [0, 0, 0];
  for (let page = 0; page < pages.count; page++) classes[pages.hotness[page]]++;
  const facts: OverviewFacts = {
    program: [program.path, ...program.arguments].join(' '),
    exit: exitText(profile),
    complete: program.complete,
    machine: profile.options.machine,
    level: program.level,
    reads: totals.reads,
    writes: totals.writes,
    trafficReads: totals.trafficReads,
    trafficWrites: totals.trafficWrites,
    pagesTouched: totals.pagesTouched,
    pagesRead: totals.pagesRead,
    pagesWritten: totals.pagesWritten,
    hotPages: classes[HOT],
    warmPages: classes[WARM],
    coldPages: classes[COLD],
    pageSize: profile.options.pageSize,
    modelledNs: totals.modelledNs,
    epochs: epochs.count,
    epochAccesses: epochs.accesses,
    density: profile.distribution.density,
    unattributed: profile.unattributed.reads + profile.unattributed.writes,
    topLines: Array.from({ length: Math.min(topRows, lines.count) }, (_, row) => {
      const name = files[lines.file[row]].path.split('/').pop();
      return {
        label: `${name}:${lines.line[row]} ${functions.name[lines.function[row]] ?? ''}`.trimEnd(),
        location: location(profile, lines.file[row], lines.line[row]),
        reads: lines.reads[row],
        writes: lines.writes[row],
        pages: lines.pages[row],
        hotness: CLASS_NAMES[lines.hotness[row]],
        tier: index.tierOfShares(index.objectsOfLine(row), selection.policy),
      };
    }),
    topObjects: Array.from({ length: Math.min(topRows, objects.count) }, (_, row) => ({
      label: objects.name[row],
      location: location(profile, objects.file[row], objects.line[row]),
      reads: objects.reads[row],
      writes: objects.writes[row],
      bytes: objects.bytes[row],
      hotness: CLASS_NAMES[objects.hotness[row]],
      tier: index.tierOfObject(row, selection.policy),
    })),
    warnings: profile.warnings,
  };
  return { facts };
};
