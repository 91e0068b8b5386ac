/** What the server needs from the rest of core. A parameter, so that its tests bring a profile of their own. */
import type { HeatSoFar } from '../machine/liveHeat.js';
import type { Profile } from '../model/profile.js';
import type { OptionTexts } from '../options.js';
import type { ProfileProgress, ProfileRequest } from '../protocol.js';
import type { KeeperLink } from './keeper/requests.js';

export interface Hooks {
  readonly onProgress: (progress: ProfileProgress) => void;
  /** The heat of a program that is being profiled. */
  readonly onHeat: (heat: HeatSoFar) => void;
  /** What the program prints, when it has no terminal of its own. */
  readonly onOutput: (text: string) => void;
  /** Is given what opens and closes the window of recording while the program runs. */
  readonly onWindow: (set: (open: boolean) => void) => void;
  /** Stops the program; what was recorded until then becomes the profile. */
  readonly signal: AbortSignal;
}

export interface Backend {
  readonly version: string;
  /** Where profiles are kept once they are made. */
  readonly keeper: KeeperLink;
  profileProgram(request: ProfileRequest, hooks: Hooks): Promise<Profile>;
  /** Replays a `.pltrace`. */
  replayTrace(file: string, options: OptionTexts, hooks: Hooks): Promise<Profile>;
}
