/** Which part of a run was recorded: its windows. What lies outside of them is in no count. */
import { whole } from './format.js';
import * as l10n from './l10n.js';

/** Bursts of so many accesses of each thread, and so many between two of them. */
export interface BurstOptions {
  readonly on: number;
  readonly off: number;
}

/** What each access of a burst stands for. */
export function burstFactor({ on, off }: BurstOptions): number {
  return 1 + Math.max(1, Math.round(off / on));
}

/** What opens and closes windows, as it was asked for. */
export interface WindowOptions {
  /** A window opens, or closes, when this function is entered; of one for both, when it returns. */
  readonly startAt?: string;
  readonly stopAt?: string;
  /** Seconds since the program started. */
  readonly startAfter?: number;
  readonly stopAfter?: number;
  /** None is open until the program (`pagelens_start`) or a command opens one. */
  readonly paused?: boolean;
}

export interface RunWindow extends Omit<WindowOptions, 'paused'> {
  /** How many there were. */
  readonly windows: number;
  /** Accesses outside of them. */
  readonly outside: number;
}

/** Whether no window is open when the program starts. */
export function startsClosed({ startAt, startAfter, paused }: WindowOptions): boolean {
  return startAt !== undefined || startAfter !== undefined || paused === true;
}

/** `2 windows: 300 of 1,000 accesses; the other 700 are in no count`. For files: English. @param recorded accesses in them */
export function windowText({ windows, outside }: RunWindow, recorded: number): string {
  return l10n.kept(
    'recorded in windows ({0}): {1} of the run’s {2} accesses; those outside are in no count',
    whole(windows),
    whole(recorded),
    whole(recorded + outside),
  );
}
