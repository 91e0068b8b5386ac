/**
 * The one request table of both boundaries: extension <-> core (JSON-RPC over stdio) and webview <-> extension
 * (postMessage, relayed to core unread). Names and plain types only.
 *
 * Every request pairs its parameters with its result; a reply is `{ ok }` or `{ err }`, so that every request settles.
 * Columns travel to the webview as base64 of little-endian typed arrays (`WireColumn`), at most 1 MiB a reply.
 */
import type { CutReason } from './model/cut.js';
import type { CapacityCurve, TierChange } from './model/profile.js';
import type { WindowOptions } from './model/window.js';

/** What is being looked at. Core owns it; every view changes it by `pagelens/select` and redraws on `selectionChanged`. */
export interface Selection {
  /** Path of the current profile, or an id of an unsaved one; null: none yet. */
  readonly profile: string | null;
  /** `exact`, or the tracker through whose eyes everything is shown. */
  readonly tracker: string;
  readonly tiers: string;
  /** What if they were others: larger, faster. Empty: they are as they are. */
  readonly tierChanges: readonly TierChange[];
  readonly policy: string;
  /** Id of one of the run's phases: `window` is its epochs then. null: none, or a window of the user's own. */
  readonly phase: string | null;
  /** Epochs shown, from (inclusive) and to (exclusive); null: the whole run. */
  readonly window: readonly [number, number] | null;
  /** What the user points at, in whichever view or editor: the others show it too. */
  readonly focus: Focus | null;
  /** The profile that this one is compared with: a path, or the id of an unsaved one; null: none. */
  readonly baseline: string | null;
}

export type Focus =
  /** Row of the profile's `objects`. */
  | { readonly kind: 'object'; readonly object: number }
  /** A line as it was built: absolute path and 1-based line. */
  | { readonly kind: 'line'; readonly file: string; readonly line: number }
  /** PageIndex. */
  | { readonly kind: 'page'; readonly page: number };

/**
 * A stretch of a run: one that the program named (pagelens.h), or in which the same code uses the same data, as core found
 * (core/hotness/phases.ts).
 */
export interface PhaseFacts {
  readonly id: string;
  /** Epochs from (inclusive) and to (exclusive). */
  readonly window: readonly [number, number];
  /** Of the run's accesses, 0 to 1. */
  readonly share: number;
  /** Names of the function that makes, and the object that gets, most of its accesses; '' where that is not known. */
  readonly code: string;
  readonly data: string;
  /** Where the program named it: the name, and which of the stretches of that name it is. */
  readonly named?: { readonly name: string; readonly number: number; readonly of: number };
}

export type Result<T> = { readonly ok: T } | { readonly err: string };

export interface WireColumn {
  readonly type: 'u8' | 'u32' | 'f32' | 'f64';
  readonly base64: string;
}

/** The views of the dashboard; a view is one file in webview/views and one line in its table. */
export type ViewId =
  | 'overview'
  | 'heatmap'
  | 'placement'
  | 'flame'
  | 'pageInspector'
  | 'trackers'
  | 'policies'
  | 'workingSet';

/** What a profile is exported as: `pagelens report --format`. */
export type ExportFormat =
  | 'text'
  | 'json'
  | 'csv'
  | 'html'
  | 'md'
  | 'placement'
  | 'numactl'
  | 'callgrind'
  | 'pprof'
  | 'speedscope'
  | 'parquet';

export interface ViewQuery {
  readonly view: ViewId;
  /** What is visible: the heatmap's epochs [from, to) and compact page rows [from, to); a table's rows. */
  readonly range?: { readonly x?: readonly [number, number]; readonly y?: readonly [number, number] };
  /** Width and height in device pixels to bin for. */
  readonly pixels?: readonly [number, number];
  /** What a view lets the user choose: sort column, direction, filter text, heat metric. */
  readonly options?: Readonly<Record<string, string | number | boolean>>;
}

/** A view's answer: small facts as JSON, bulk as binned columns. */
export interface ViewData {
  readonly view: ViewId;
  readonly facts: unknown;
  readonly columns: Readonly<Record<string, WireColumn>>;
}

export interface LineHeat {
  /** 1-based. */
  readonly line: number;
  /** The same line as it was built. */
  readonly built: number;
  readonly reads: number;
  readonly writes: number;
  /** Distinct pages; null: not known, as a tracker sees the run. */
  readonly pages: number | null;
  readonly trafficReads: number;
  readonly trafficWrites: number;
  /** Share of the run's accesses, 0 to 1. */
  readonly share: number;
  readonly hotness: 'hot' | 'warm' | 'cold';
  /** Name of the tier of the recommended policy, or `mixed`, or ''. */
  readonly tier: string;
  /** Text for the end of the line, already formatted. */
  readonly text: string;
  /** Rank percentile among the profile's lines, 0 (hottest) to 1, for colour intensity. */
  readonly percentile: number;
  /** Why this mark is grey: the line itself was edited, or the whole file is stale; null when it is sure. */
  readonly stale: string | null;
}

export interface FileHeat {
  /** The file's path as it was built: what a focus names. */
  readonly file: string;
  readonly lines: readonly LineHeat[];
  /** Why the marks are grey: the document differs from the content that was built; null when it matches. */
  readonly stale: string | null;
  /** Greatest share of a line in the whole profile, 0 to 1. */
  readonly maxShare: number;
}

export interface ProfileRequest {
  /** Executable or source file, absolute. */
  readonly program: string;
  readonly arguments: readonly string[];
  readonly workingDirectory: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly cflags?: string;
  /** Default: `instrument`, so that an executable without hooks is refused and its build can be offered. */
  readonly recorder?: 'auto' | 'instrument' | 'valgrind' | 'qemu' | 'wasm';
  /** Which part of the run is recorded; without it all. */
  readonly window?: WindowOptions;
  /** As on the command line: `machine`, `tiers`, `capacity`, `epoch`, ... without the dashes. */
  readonly options?: Readonly<Record<string, string>>;
  /** Terminal device that becomes the program's standard streams; without it they go to the log. */
  readonly terminal?: string;
  /** File for its standard output and error instead; it reads no input then. */
  readonly programOutput?: string;
  /** Where to keep the profile, so that it is there again after a reload. */
  readonly saveTo?: string;
}

export interface ProfileProgress {
  readonly stage: 'build' | 'run' | 'replay' | 'symbols' | 'report';
  readonly accesses: number;
  readonly accessesPerSecond: number;
  readonly pages: number;
  /** 0 to 1 when known. */
  readonly fraction: number | null;
  readonly message: string;
  /** Recording has stopped for this; the program goes on. */
  readonly cut?: CutReason;
  /** No window of recording is open; the program goes on. */
  readonly paused?: boolean;
}

export interface ProfileSummary {
  /** The selection's `profile` value. */
  readonly profile: string;
  readonly program: string;
  readonly reads: number;
  readonly writes: number;
  readonly pages: number;
  readonly complete: boolean;
  readonly cut?: CutReason;
  readonly exit: string;
  readonly warnings: readonly string[];
}

export interface Location {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

/** A built line on this machine. */
export interface LocalLocation extends Location {
  /** Whether there is such a file here. */
  readonly exists: boolean;
  /** Why the line is only where it was once; null when it is sure. */
  readonly stale: string | null;
}

/** The profile's source files on this machine; without headers of the system, and files that could not be read when built. */
export interface FilesReport {
  readonly total: number;
  /** Here, with the content that was built. */
  readonly matched: number;
  readonly differing: number;
  readonly missing: number;
  /** Paths as built, the hottest first; at most 200. */
  readonly differingFiles: readonly string[];
  readonly missingFiles: readonly string[];
}

/** What the marks in the source are shares of, and how lines are classed. */
export interface LegendFacts {
  /** `accesses`, or `PML readings`. */
  readonly counted: string;
  /** How a tracker's readings came to lines; '' for exact counts. */
  readonly note: string;
  /** Level, window and run. */
  readonly window: string;
  /** Shares that bound the classes, 0 to 1. */
  readonly hotShare: number;
  readonly coldShare: number;
  readonly policy: string;
  /** The run that "was" speaks of: its profile; null: none. */
  readonly baseline: string | null;
}

/** A folder of the machine that built the program, and the one that holds the same here. */
export interface MappingProposal {
  readonly built: string;
  readonly local: string;
  /** Missing files that it finds. */
  readonly files: number;
}

export interface Requests {
  'pagelens/profile': { params: ProfileRequest; result: ProfileSummary };
  /** Opens or closes the window of recording of the program that is being profiled. */
  'pagelens/window': { params: { open: boolean }; result: null };
  /** Executables below a folder that can be profiled, the latest built first: absolute paths. */
  'pagelens/findPrograms': { params: { folder: string }; result: readonly string[] };
  'pagelens/open': {
    /** `options` as in ProfileRequest: a trace is replayed with them, a profile has its own. */
    params: { file: string; options?: Readonly<Record<string, string>> };
    result: ProfileSummary;
  };
  'pagelens/save': { params: { file: string }; result: null };
  'pagelens/export': {
    params: { file: string; format: ExportFormat };
    result: null;
  };
  /** Compares the shown profile with another; null: with none. */
  'pagelens/compare': { params: { file: string | null }; result: Selection };
  'pagelens/clear': { params: Record<string, never>; result: null };
  'pagelens/select': { params: Partial<Selection>; result: Selection };
  /** Of the shown run, in their order; none where all of it is one. */
  'pagelens/phases': { params: Record<string, never>; result: readonly PhaseFacts[] };
  'pagelens/selection': { params: Record<string, never>; result: Selection };
  'pagelens/lineHeat': { params: { uri: string }; result: FileHeat | null };
  'pagelens/hotRegions': { params: { uri: string | null; limit: number }; result: readonly HotRegion[] };
  /** null: no profile. Waits until all files were looked at. */
  'pagelens/files': { params: Record<string, never>; result: FilesReport | null };
  /** Where a line, as built, is here and now. */
  'pagelens/sourceFile': { params: Location; result: LocalLocation };
  /** Lines of a document, 1-based and where they are now, that belong to the selection's focus. */
  'pagelens/focusLines': { params: { uri: string }; result: readonly number[] };
  /** What the marks in the source mean; null: no profile. */
  'pagelens/legend': { params: Record<string, never>; result: LegendFacts | null };
  /** How a folder of this machine may stand for one of the machine that built; null: it holds none of the missing files. */
  'pagelens/proposeMapping': { params: { folder: string }; result: MappingProposal | null };
  /** Markdown of all that is known about a line of an open document, as its hover tells it; null: nothing. 1-based. */
  'pagelens/explain': { params: { uri: string; line: number }; result: string | null };
  'pagelens/view': { params: ViewQuery; result: ViewData | null };
}

export interface HotRegion {
  readonly label: string;
  readonly detail: string;
  readonly hotness: 'hot' | 'warm' | 'cold';
  readonly location: Location | null;
}

export interface Notifications {
  'pagelens/progress': ProfileProgress;
  'pagelens/liveHeat': LiveHeat;
  'pagelens/selectionChanged': Selection;
  /** The marks of open documents changed (a new profile, an edit, another tracker): ask `lineHeat` again. */
  'pagelens/annotationsChanged': { readonly uris: readonly string[] | null };
}

/** Webview -> extension. `request` is relayed to core; the rest the extension does itself. */
export type FromWebview =
  | { readonly kind: 'ready' }
  | { readonly kind: 'request'; readonly id: number; readonly method: keyof Requests; readonly params: unknown }
  | { readonly kind: 'reveal'; readonly location: Location }
  | { readonly kind: 'command'; readonly command: string }
  /** Text for the clipboard. */
  | { readonly kind: 'copy'; readonly text: string }
  /** A chart for a file: the user chooses where, and by the file's ending which of the two forms. */
  | { readonly kind: 'savePicture'; readonly name: string; readonly svg: string; readonly pngBase64: string };

/** Extension -> webview. */
export type ToWebview =
  | { readonly kind: 'reply'; readonly id: number; readonly result: Result<unknown> }
  | { readonly kind: 'selection'; readonly selection: Selection }
  | { readonly kind: 'progress'; readonly progress: ProfileProgress | null }
  | { readonly kind: 'liveHeat'; readonly heat: LiveHeat }
  /** Bring a view to the front. */
  | { readonly kind: 'show'; readonly view: ViewId };

/** The figures of a run, or of a window of it, that the overview shows; of the run before too. */
export interface RunFigures {
  readonly reads: number;
  readonly writes: number;
  /** Cache lines of 64 bytes. */
  readonly trafficReads: number;
  readonly trafficWrites: number;
  readonly pagesTouched: number;
  readonly pagesRead: number;
  readonly pagesWritten: number;
  readonly hotPages: number;
  readonly warmPages: number;
  readonly coldPages: number;
  /** Most distinct pages touched in one epoch. */
  readonly peakWorkingSet: number;
  readonly modelledNs: number;
  /** Share of the 64-byte lines of the touched pages that were used, 0 to 1; of the whole run. */
  readonly density: number;
  /** Modelled, of the whole run; null where the profile has not the policy. */
  readonly slowdown: {
    readonly policy: string;
    readonly value: number;
    readonly range: readonly [number, number];
  } | null;
}

/** Something that one can do, with what it rests on and what it would gain. */
export interface AdviceFacts {
  readonly action: string;
  readonly evidence: string;
  readonly gain: /** Shares of the modelled run time. */
    | { readonly kind: 'time'; readonly low: number; readonly high: number }
    /** Bytes, `of` what memory. */
    | { readonly kind: 'memory'; readonly low: number; readonly high: number; readonly of: string };
  readonly location: Location | null;
  /** Row of the shown profile's objects, to point at. */
  readonly object: number | null;
  /** Where to look closer. */
  readonly view: ViewId;
}

/** A line, function or allocation in both runs; null: it did nothing, or was not there. */
export interface ChangedRow {
  readonly label: string;
  readonly location: Location | null;
  /** Shares of each run's own accesses. */
  readonly before: number | null;
  readonly now: number | null;
  readonly accessesBefore: number;
  readonly accessesNow: number;
}

export interface OverviewFacts extends RunFigures {
  readonly program: string;
  readonly exit: string;
  readonly complete: boolean;
  readonly machine: string;
  readonly level: string;
  readonly pageSize: number;
  readonly epochs: number;
  readonly epochAccesses: number;
  readonly unattributed: number;
  /** Epochs that lines are of; null: the whole run, also where pages and allocations are of a window. */
  readonly linesWindow: readonly [number, number] | null;
  /** Accesses in these epochs: what lines are shares of. */
  readonly runAccesses: number;
  /** Share of the accesses that hot pages receive, 0 to 1. */
  readonly hotShare: number;
  /** What is counted: `accesses`, or `PML readings` where a tracker's eyes are chosen. */
  readonly counted: string;
  /** Epochs that pages and allocations are of, from (inclusive) and to (exclusive); null: the whole run. */
  readonly window: readonly [number, number] | null;
  /** The run before, whole; null: none, or it cannot be compared. */
  readonly before: RunFigures | null;
  readonly changes: {
    /** Lines, or functions where edited files cannot be followed line by line. */
    readonly kind: 'lines' | 'functions';
    readonly source: readonly ChangedRow[];
    readonly objects: readonly (ChangedRow & { readonly bytesBefore: number; readonly bytesNow: number })[];
    /** Changed rows in all. */
    readonly sources: number;
    readonly allocations: number;
    readonly cautions: readonly string[];
  } | null;
  /** The best things to do, best first, from the exact counts of the whole run. */
  readonly advice: readonly AdviceFacts[];
  readonly topLines: readonly {
    readonly label: string;
    readonly location: Location | null;
    readonly reads: number;
    readonly writes: number;
    /** Distinct pages; null: not known, as a tracker sees the run. */
    readonly pages: number | null;
    readonly hotness: string;
    readonly tier: string;
  }[];
  readonly topObjects: readonly {
    readonly label: string;
    readonly location: Location | null;
    readonly reads: number;
    readonly writes: number;
    readonly bytes: number;
    readonly hotness: string;
    readonly tier: string;
  }[];
  readonly warnings: readonly string[];
}

/**
 * Columns of the heatmap's answer: `reads`, `writes`, `traffic` (f32, bins row-major: y * columns + x). By row of bins:
 * `tier` (u8, of `tiers`; 255 unknown) and, where there is an `agreement`, `found`, `missed`, `falsely` (u32, pages).
 *
 * Bins lie on a grid that starts at epoch 0 and row 0 and is the same for every part of the map, so that a part that is
 * already known fits what is asked next. Query options: `stepX`, `stepY` (epochs and rows a bin spans, powers of two;
 * without them as fine as `pixels` allow), `part`: `bins` or `axes`, for one half of the answer alone, `baseline`: true
 * for the profile that is compared with; `part`: `difference` is answered by HeatDifferenceFacts.
 */
export interface HeatmapFacts {
  /** Differs between profiles: bins of another one must not be mixed in. */
  readonly stamp: number;
  readonly columns: number;
  readonly rows: number;
  /** The whole extent: epochs, and compact rows (mapped ranges only, gaps cut out; one row a page). */
  readonly epochs: number;
  readonly pageRows: number;
  /** Epochs and rows that every bin spans; the last ones may be cut by the end of the map. */
  readonly step: { readonly x: number; readonly y: number };
  /** Epochs that cannot be told apart: no bin is narrower. */
  readonly leastStepX: number;
  readonly shown: { readonly x: readonly [number, number]; readonly y: readonly [number, number] };
  readonly epochAccesses: number;
  /** What the counts are: `accesses`, or readings of a tracker. */
  readonly counted: string;
  /** Modelled ns at the start of each shown bin, and one more for the end; empty while a program is recorded. */
  readonly timesNs: readonly number[];
  /** Mapped ranges in view, from low to high rows: what lies there and where it starts. */
  readonly segments: readonly {
    readonly from: number;
    readonly to: number;
    readonly address: string;
    readonly bytes: number;
    readonly objects: readonly {
      /** Row of `objects`. */
      readonly object: number;
      readonly from: number;
      readonly to: number;
      readonly name: string;
      readonly tier: string;
      readonly location: Location | null;
    }[];
  }[];
  readonly pageSize: number;
  /** Names for the column `tier`, the fastest first, then `mixed`. */
  readonly tiers: readonly string[];
  /** What the selected tracker made of the `k` hottest pages of the selected window or the whole run; null for exact counts. */
  readonly agreement: {
    readonly tracker: string;
    readonly inWindow: boolean;
    readonly k: number;
    readonly found: number;
    readonly missed: number;
    readonly falsely: number;
  } | null;
  /** What is pointed at: the rows that are its, as far as they are in view, and from the first to the last of all. */
  readonly focus: {
    readonly label: string;
    readonly runs: readonly (readonly [number, number])[];
    readonly extent: readonly [number, number];
  } | null;
}

/**
 * The answer to the heatmap's `part`: `difference`: allocations of both runs laid over each other. Columns (f32,
 * row-major): `reads`, `writes`, `traffic`, and the same with `Before`: means of a page of the row in the column's stretch
 * of its run. A column is an equal part of either run's epochs, a row of either run's pages of an object, in the order of
 * their addresses. Options: `zoom`, how often both are halved (0 without it); and what stands where: the share `progress` of
 * the runs (0 to 1) in the visible column `column`, and the share `place` of the pages of `object` in the visible row `row`.
 */
export interface HeatDifferenceFacts {
  /** Visible ones. */
  readonly columns: number;
  readonly rows: number;
  /** As asked for, as far as the runs go. */
  readonly zoom: number;
  /** The visible ones among all, at this zoom. */
  readonly firstColumn: number;
  readonly allColumns: number;
  readonly firstRow: number;
  readonly allRows: number;
  /** Those in sight, with the greatest share of either run's accesses first. The first may begin above the first row. */
  readonly objects: readonly {
    /** Row of the shown profile's `objects`. */
    readonly object: number;
    readonly name: string;
    readonly location: Location | null;
    /** Pages on which it has most of the accesses, in either run. */
    readonly pages: number;
    readonly pagesBefore: number;
    readonly from: number;
    readonly rows: number;
  }[];
  readonly pageSize: number;
  readonly counted: string;
  /** Of each whole run: its accesses, and those to the pages that are shown. */
  readonly now: { readonly accesses: number; readonly shown: number };
  readonly before: { readonly accesses: number; readonly shown: number };
  /** Objects of both runs that are out of sight, and those that have no page mostly their own in one of the runs. */
  readonly leftOut: number;
  readonly withoutPages: number;
}

/**
 * The heat of a recording that goes on, up to its last whole epoch: at most 128 rows of equal blocks of addresses that
 * were touched, ascending by process and address, by at most 256 columns of equal stretches of time.
 */
export interface LiveHeat {
  readonly columns: number;
  readonly rows: number;
  readonly bytesPerRow: number;
  readonly accessesPerColumn: number;
  /** By row: the process (u32), and the address in units of `bytesPerRow` (f64). */
  readonly process: WireColumn;
  readonly block: WireColumn;
  /** f32, row-major: y * columns + x. */
  readonly reads: WireColumn;
  readonly writes: WireColumn;
  /** Of the run so far. */
  readonly accesses: number;
  readonly pages: number;
}

export interface PlacementFacts {
  readonly tiers: readonly {
    readonly id: string;
    readonly name: string;
    readonly capacityBytes: number;
    readonly usedBytes: number;
    readonly readLatencyNs: number;
    readonly writeLatencyNs: number;
  }[];
  readonly policies: readonly {
    readonly id: string;
    readonly slowdown: number;
    readonly range: readonly [number, number];
    readonly fastTierHitRatio: number;
  }[];
  readonly recommended: string;
  /** Of the touched pages: what no tier needs more of. */
  readonly touchedBytes: number;
  /** Of the whole run; null: the fastest tier has no limit, or the profile does not know. */
  readonly capacityCurve: CapacityCurve | null;
  readonly assumptions: readonly string[];
  /** What an access is called: `accesses`, or a tracker's readings. */
  readonly counted: string;
  /** Epochs that accesses, traffic, pages and classes are of; null: the whole run. */
  readonly window: readonly [number, number] | null;
  /** Accesses of all objects in that window: the denominator of shares. */
  readonly accesses: number;
  /** Whether there is a run before, whose accesses the rows have. */
  readonly compared: boolean;
  /** Objects in all, and those that the filter leaves: rows in the asked order and range. */
  readonly objects: number;
  readonly total: number;
  readonly from: number;
  /** Place of what is pointed at in this order; null: not among the rows. */
  readonly focus: number | null;
  /** The object that was asked for. */
  readonly detail: AllocationDetail | null;
  readonly rows: readonly {
    /** Row of the profile's objects. */
    readonly object: number;
    /** Accesses of the same allocation in the run before, whole run; null: it was not there, or nothing is compared. */
    readonly before: number | null;
    readonly perPagePerSecond: number;
    readonly touchedBytes: number;
    readonly kind: string;
    readonly name: string;
    readonly location: Location | null;
    readonly stack: readonly string[];
    readonly bytes: number;
    readonly blocks: number;
    readonly reads: number;
    readonly writes: number;
    readonly pages: number;
    readonly density: number;
    readonly trafficReads: number;
    readonly trafficWrites: number;
    readonly hotness: string;
    readonly tier: string;
  }[];
}

/** What the flame view can be asked for in `options`: all of it is optional. */
export type FlameBy = 'calls' | 'code' | 'allocation';
export type FlameMeasure = 'accesses' | 'reads' | 'writes' | 'traffic' | 'bytes';

export interface FlameFacts {
  readonly by: FlameBy;
  readonly measure: FlameMeasure;
  /** What an access is called: `accesses`, or a tracker's readings. */
  readonly counted: string;
  /** Epochs that the weights are of; null: the whole run. */
  readonly window: readonly [number, number] | null;
  /** A frame comes before what it calls; the first is everything, and its parent -1. */
  readonly frames: readonly FlameFrame[];
  /** The frame that was asked for as the widest: all before it are what calls it. */
  readonly root: number;
  /** Frames that were too small to be sent one by one: each is part of a frame of kind `rest`. */
  readonly folded: number;
  /** What the search found in the whole tree: frames, and the weight under any of them, none counted twice. */
  readonly matched: { readonly frames: number; readonly weight: number } | null;
}

export interface FlameFrame {
  readonly parent: number;
  readonly name: string;
  readonly kind: 'all' | 'function' | 'line' | 'object' | 'group' | 'rest';
  /** By the measure asked for. */
  readonly weight: number;
  readonly reads: number;
  readonly writes: number;
  readonly traffic: number;
  /** Class of most of its accesses; '' without any. */
  readonly hotness: string;
  readonly location: Location | null;
  /** Row of the profile's objects, for one that is a single object. */
  readonly object: number | null;
  /** Share of the whole that the frame with the same callers had in the run compared with; null: not known. */
  readonly before: number | null;
}

export interface PageRow {
  /** PageIndex. */
  readonly page: number;
  readonly process: number;
  readonly address: string;
  readonly reads: number;
  readonly writes: number;
  /** Cache lines, both directions. */
  readonly traffic: number;
  readonly linesUsed: number;
  readonly hotness: string;
  /** The object with most of the page's accesses: its row, -1 for none; and the tier of the selected policy. */
  readonly object: number;
  readonly objectName: string;
  readonly tier: string;
  /**
   * Accesses to its place in the whole run before: the same allocation, at the same relative position, a mean a page;
   * null: none, or no run is compared with.
   */
  readonly before: number | null;
}

/** Columns, when a page was asked for: `historyReads`, `historyWrites`, `historyTraffic` (f64), one value a bin of the heat. */
export interface PageInspectorFacts {
  /** Whether rows say what their places were in the run before. */
  readonly compared: boolean;
  /** What an access is called: `accesses`, or a tracker's readings. */
  readonly counted: string;
  /** Epochs that the counts are of; null: the whole run. */
  readonly window: readonly [number, number] | null;
  readonly pageSize: number;
  /** Cache lines of a page. */
  readonly linesPerPage: number;
  /** Touched pages, and those that the filter leaves. */
  readonly pages: number;
  readonly total: number;
  readonly from: number;
  readonly rows: readonly PageRow[];
  /** Place of what is pointed at in this order; null: not among the rows. */
  readonly focus: number | null;
  /** The answer to an address asked for: the page that holds it, or the nearest touched one. */
  readonly found: { readonly page: number; readonly exact: boolean } | null;
  readonly detail: PageDetail | null;
}

export interface PageDetail extends PageRow {
  /** Accesses in exact counts, and the page's rank by them: 1 is the most accessed. */
  readonly exactReads: number;
  readonly exactWrites: number;
  readonly exactRank: number;
  readonly trafficReads: number;
  readonly trafficWrites: number;
  readonly objectKind: string;
  readonly objectPages: number;
  readonly objectLocation: Location | null;
  /** Lines that use the page's main object, whole run; on which of its pages is not recorded. */
  readonly users: readonly LineUse[];
  readonly usersInAll: number;
  readonly policies: readonly { readonly id: string; readonly tier: string; readonly recommended: boolean }[];
  /** Each mechanism's reading in its own unit; null: it names no pages. `rank` is null where it did not report the page. */
  readonly trackers: readonly {
    readonly id: string;
    readonly label: string;
    readonly reads: number | null;
    readonly writes: number | null;
    readonly rank: number | null;
  }[];
  /** Of the history: epochs that a value spans, epochs in all, and modelled ns at the end of each value. */
  readonly epochsPerBin: number;
  readonly epochs: number;
  readonly endNs: readonly number[];
}

/** What one source line did to one object, whole run. */
export interface LineUse {
  readonly label: string;
  readonly location: Location | null;
  readonly reads: number;
  readonly writes: number;
  readonly traffic: number;
}

/** What the table has no room for. Column `history` (f64): accesses a bin of the heat to the pages that are mostly its own. */
export interface AllocationDetail {
  readonly object: number;
  /** Innermost first. */
  readonly stack: readonly string[];
  /** Lines that use it, most accesses first, whole run. */
  readonly users: readonly LineUse[];
  readonly usersInAll: number;
  readonly epochsPerBin: number;
}

export interface TrackersFacts {
  readonly rows: readonly {
    readonly id: string;
    readonly label: string;
    readonly needs: string;
    readonly pagesReported: number | null;
    readonly precision: number | null;
    readonly recall: number | null;
    readonly f1: number | null;
    readonly rankCorrelation: number | null;
    readonly workingSetError: number | null;
    readonly vmExits: number;
    readonly overheadPercent: number;
    /** Bytes that the mechanism needs at most, modelled; null: the profile's version did not say. */
    readonly memoryBytes: number | null;
    readonly periods: number | null;
    /** What its figures are worth in this run, such as too few periods, and what would help. */
    readonly warnings: readonly string[];
    /** Why the run cannot be shown as it sees it; null: it can. */
    readonly blind: string | null;
    /** Of the `k` truly hottest pages: found and missed; and how many of its own hottest are not. */
    readonly agreement: {
      readonly k: number;
      readonly found: number;
      readonly missed: number;
      readonly falsely: number;
    } | null;
    /** The same tracker in the run before. */
    readonly before: { readonly f1: number | null; readonly overheadPercent: number } | null;
  }[];
  /** Why there is no row at all, and the next step; null: there are rows. */
  readonly none: string | null;
  /** The one through whose eyes everything is shown. */
  readonly chosen: string;
}

export interface PoliciesFacts {
  /** `before`: the slowdown in the run that this one is compared with; null without one, or without the policy in it. */
  readonly policies: readonly (PlacementFacts['policies'][number] & { readonly before: number | null })[];
  readonly oracle: { readonly id: string; readonly slowdown: number };
  readonly assumptions: readonly string[];
}

/**
 * Columns: `endNs`, `pages`, `pagesRead`, `pagesWritten`, `entered`, `left`; `missPages`, `missRatio` (f64); and of a run
 * before `missPagesBefore`, `missRatioBefore`, and `pagesBefore` where its epochs are as long.
 */
export interface WorkingSetFacts {
  readonly epochs: number;
  /** Epochs that one point of the columns stands for: their greatest working set, and all pages entered and left. */
  readonly epochsPerPoint: number;
  readonly epochAccesses: number;
  readonly pageSize: number;
  /** The selection's window in epochs; null: the whole run. */
  readonly window: readonly [number, number] | null;
  /** Sizes of the machine and of the tiers, ascending: what fits, and the share of accesses that would miss it. */
  readonly machineMarks: readonly {
    readonly label: string;
    readonly kind: 'cache' | 'tlb' | 'tier';
    /** May be a part of one. */
    readonly pages: number;
    readonly missRatio: number;
  }[];
  /** Where the miss-ratio curve lies farthest below the line between its ends, sizes on a logarithmic axis; null: nowhere. */
  readonly knee: { readonly pages: number; readonly missRatio: number } | null;
}
