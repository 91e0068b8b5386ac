/** What an editor may tell the server, at the start and whenever the user changes it. */
import type { Bundle } from '../model/l10n.js';

export interface Settings {
  /** Regions below this percentile of the profile get no lens, 0 to 100. */
  readonly lensPercentile: number;
  readonly lens: boolean;
  readonly hover: boolean;
  /** Folder where the program was built -> folder here, as written. */
  readonly pathMapping: Readonly<Record<string, string>>;
}

export const defaultSettings: Settings = { lensPercentile: 50, lens: true, hover: true, pathMapping: {} };

/** What the client can do beyond the protocol; an editor that says nothing gets plain standard features. */
export interface ClientAbilities {
  /** Draws `pagelens/lineHeat` itself; others get inlay hints. */
  readonly lineHeat: boolean;
  /** Command that a click on a lens runs; '' makes lenses plain text. */
  readonly lensCommand: string;
  /** Commands that a hover may link to, with their titles. */
  readonly hoverLinks: readonly { readonly title: string; readonly command: string }[];
  /** Translations into the editor's language; none: texts are English. */
  readonly bundle: Bundle;
  /** Folder for the texts of profiled files between two sessions; '': they are in memory only. */
  readonly textFolder: string;
}

const defaultAbilities: ClientAbilities = {
  lineHeat: false,
  lensCommand: '',
  hoverLinks: [],
  bundle: {},
  textFolder: '',
};

export function clientAbilities(options: unknown): ClientAbilities {
  return { ...defaultAbilities, ...(isRecord(options) ? options : {}) };
}

/** Reads the editor's `pagelens` section; what is missing or of a wrong type keeps its default. */
export function settingsOf(section: unknown): Settings {
  if (!isRecord(section)) return defaultSettings;
  const { lensPercentile, annotations, pathMapping } = section;
  const shows = (kind: string) => !Array.isArray(annotations) || annotations.includes(kind);
  const valid = typeof lensPercentile === 'number' && lensPercentile >= 0 && lensPercentile <= 100;
  return {
    lensPercentile: valid ? lensPercentile : defaultSettings.lensPercentile,
    lens: shows('lens'),
    hover: shows('hover'),
    pathMapping: textsOf(pathMapping),
  };
}

function textsOf(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
