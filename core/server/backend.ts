/** What the server needs from the rest of core. A parameter, so that its tests bring a profile of their own. */
import type { HeatSoFar } from '../machine/liveHeat.js';
import type { Placement, Profile, ReplayOptions } from '../model/profile.js';
import type { OptionTexts } from '../options.js';
import type { ProfileProgress, ProfileRequest } from '../protocol.js';

export interface Hooks {
  readonly onProgress: (progress: ProfileProgress) => void;
  /** The heat of a program that is being profiled. */
  readonly onHeat: (heat: HeatSoFar) => void;
  /** What the program prints, when it has no terminal of its own. */
  readonly onOutput: (text: string) => void;
  /** Stops the program; what was recorded until then becomes the profile. */
  readonly signal: AbortSignal;
}

export type ExportFormat = 'text' | 'json' | 'csv' | 'html' | 'md';

export interface Backend {
  readonly version: string;
  profileProgram(request: ProfileRequest, hooks: Hooks): Promise<Profile>;
  /** Opens a `.pagelens` file or replays a `.pltrace`. */
  openProfile(file: string, options: OptionTexts, hooks: Hooks): Promise<Profile>;
  saveProfile(profile: Profile, file: string): Promise<void>;
  /** Places a run's objects in other tiers, off this thread: an optimal assignment may take a while. */
  placeAnew(profile: Profile, options: ReplayOptions): Promise<Placement>;
  /** Puts a saved profile aside, since the next run is saved in its place; null when it is not there. */
  keepPrevious(file: string): Promise<string | null>;
  exportProfile(profile: Profile, file: string, format: ExportFormat): Promise<void>;
}
