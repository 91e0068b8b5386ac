/**
 * How a run was sampled: its counts are samples times what each stands for, and have intervals.
 */
import { poisson, wilson } from './intervals.js';

export interface Sampling {
  /** What was sampled, such as `mem-loads` or `page checks`. */
  readonly event: string;
  readonly samples: number;
  /** What one sample stands for, rounded. The mean where it varied. */
  readonly period: number;
  /** The least and the greatest period; equal where it was fixed. */
  readonly least: number;
  readonly most: number;
  /** What one access of the trace stands for: the period, or less where the import spread a sample over its pages. */
  readonly factor: number;
  /** What the counts are: `accesses`, or what the source counts in their place. */
  readonly unit: string;
}

type Period = Pick<Sampling, 'period'>;

/** Interval of 95 % for a count that is samples times the period. */
export function countInterval(count: number, { period }: Period): readonly [low: number, high: number] {
  const { low, high } = poisson(count / period);
  return [low * period, high * period];
}

/** Interval of 95 % for the share, 0 to 1, that `part` is of `whole`: both samples times the period. */
export function shareInterval(part: number, whole: number, { period }: Period): readonly [low: number, high: number] {
  const { low, high } = wilson(part / period, whole / period);
  return [low, high];
}

/** `31 to 45 %`, the interval of a share. @param percent how it is written: reports are English, the editor need not be */
export function shareIntervalText(
  part: number,
  whole: number,
  period: Period,
  percent: (share: number) => string,
): string {
  const [low, high] = shareInterval(part, whole, period).map(percent) as [string, string];
  return low === high ? high : `${low.replace(/ %$/, '')} to ${high}`;
}
