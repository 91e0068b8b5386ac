/** The heatmap's counts as a table: a row for a range of addresses, a column for a stretch of time. */

import { type HeatAxes, type HeatBins, unitOf } from '../charts/heatData.js';
import { compact, span, whole } from '../format.js';
import type { GridColumn } from '../grid.js';
import * as l10n from '../l10n.js';
import type { Metric } from '../state.js';

/** As many as can be read. */
export const tableRows = 24;
export const tableColumnWidth = 76;

export function tableColumns(axes: HeatAxes, bins: HeatBins, metric: Metric): GridColumn<number>[] {
  const unit = unitOf(metric, axes.facts);
  const rangeOf = (row: number) => bins.boxOf({ column: 0, row }).y;
  const names = (row: number) => {
    const [from, to] = rangeOf(row);
    const runs = axes.facts.segments.flatMap(segment => segment.objects);
    return [...new Set(runs.filter(run => run.from < to && run.to > from).map(run => run.name))];
  };
  const times = Array.from({ length: bins.facts.columns }, (_, column): GridColumn<number> => {
    const [from, to] = bins.boxOf({ column, row: 0 }).x;
    const [start, end] = [axes.whenText(from), axes.whenText(to)];
    return {
      id: `time-${column}`,
      label: start,
      title: l10n.t(
        '{0} from {1} to {2}{3}, epoch {4}',
        unit,
        start,
        end,
        axes.timed ? l10n.t(' of modelled time') : '',
        span(from, to),
      ),
      width: tableColumnWidth,
      priority: 0,
      numeric: true,
      cell: row => compact(bins.count(metric, { column, row })),
      hint: row => `${whole(bins.count(metric, { column, row }))} ${unit}`,
    };
  });
  return [
    {
      id: 'objects',
      label: l10n.t('Objects'),
      title: l10n.t('What lies in these pages, from low to high addresses'),
      width: 100,
      flexible: true,
      priority: 0,
      cell: row => {
        const [first, ...more] = names(row);
        return `${first ?? l10n.t('unnamed')}${more.length > 0 ? l10n.t(' and {0} more', more.length) : ''}`;
      },
      hint: row => names(row).join('\n'),
    },
    ...times,
  ];
}
