/** Ids that the manifest and the code share; `test/extension/manifest.test.ts` compares the two. */

/** In the manifest's order (design, section 6). */
export const commands = {
  profile: 'pagelens.profile',
  profileExecutable: 'pagelens.profileExecutable',
  rerun: 'pagelens.rerun',
  cancel: 'pagelens.cancel',
  open: 'pagelens.open',
  compare: 'pagelens.compare',
  toggleAnnotations: 'pagelens.toggleAnnotations',
  export: 'pagelens.export',
  clear: 'pagelens.clear',
  showLog: 'pagelens.showLog',
  openDashboard: 'pagelens.openDashboard',
  chooseTracker: 'pagelens.chooseTracker',
  showLegend: 'pagelens.showLegend',
  mapPaths: 'pagelens.mapPaths',
  profileSample: 'pagelens.profileSample',
  toggleProfileOnSave: 'pagelens.toggleProfileOnSave',
  startRecording: 'pagelens.startRecording',
  stopRecording: 'pagelens.stopRecording',
} as const;

export type CommandId = (typeof commands)[keyof typeof commands];

export const views = { dashboard: 'pagelens.dashboard', hotRegions: 'pagelens.hotRegions' } as const;

/** Custom editor of `*.pagelens` and `*.pltrace`; the dashboard as a tab. */
export const profileEditor = 'pagelens.profileEditor';
export const dashboardPanel = 'pagelens.dashboardPanel';

/** Type of the tasks that build and profile. */
export const taskType = 'pagelens';

/** Keys of `when` clauses. */
export const contexts = {
  hasProfile: 'pagelens.hasProfile',
  running: 'pagelens.running',
  filesMissing: 'pagelens.filesMissing',
} as const;

export const colors = {
  hot: 'pagelens.hotForeground',
  warm: 'pagelens.warmForeground',
  cold: 'pagelens.coldForeground',
  stale: 'pagelens.staleForeground',
} as const;

/** Tools of the editor's chat. */
export const tools = {
  hottestRegions: 'pagelens_hottestRegions',
  placement: 'pagelens_placement',
  why: 'pagelens_why',
} as const;

/** What a webview or a hover may ask for; never something that needs an argument. */
export const linkable: readonly string[] = [
  commands.profile,
  commands.profileSample,
  commands.rerun,
  commands.cancel,
  commands.open,
  commands.compare,
  commands.chooseTracker,
  commands.export,
  commands.showLog,
  commands.openDashboard,
  commands.showLegend,
  commands.mapPaths,
  'workbench.trust.manage',
];
