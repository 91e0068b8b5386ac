/**
 * Profiling as one call, for the command line and the server: recording and replay run in worker threads, so that the
 * caller's thread only passes progress on.
 */
import type { ReplayOptions } from './model/profile.js';
import type { Profile } from './model/profile.js';
import type { ProfileProgress } from './protocol.js';

export interface SessionRequest {
  /** Executable or source file, absolute. */
  readonly program: string;
  readonly arguments: readonly string[];
  readonly workingDirectory: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly cflags?: string;
  readonly options: ReplayOptions;
  /** Where to keep the trace; without it the trace is removed after the replay. */
  readonly traceFile?: string;
  /** File for the program's standard output and error; without it both go to standard error, or to `onOutput`. */
  readonly programOutput?: string;
}

export interface SessionHooks {
  readonly onProgress?: (progress: ProfileProgress) => void;
  /** Receives what the program prints instead of standard error. */
  readonly onOutput?: (text: string) => void;
  /** Cancels: the program is stopped, and what was recorded until then becomes the profile. */
  readonly signal?: AbortSignal;
}

export declare function profileProgram(request: SessionRequest, hooks: SessionHooks): Promise<Profile>;
/** Opens a `.pagelens` file, or replays a `.pltrace`. */
export declare function openProfile(file: string, options: ReplayOptions, hooks: SessionHooks): Promise<Profile>;
