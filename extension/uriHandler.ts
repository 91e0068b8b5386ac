/**
 * Opens links of `link.ts`: a profile, a line of source, a view of the dashboard, a tracker's eyes. A file outside the
 * workspace is opened only when the user agrees; a profile is only looked at, so this also works in Restricted Mode.
 */
import { realpath, stat } from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { ViewId } from '../core/protocol.js';
import { type Core, reasonOf } from './core.js';
import { profileEditor } from './ids.js';
import { type Link, type LinkProblem, parseLink } from './link.js';
import { type Dashboards, placeNow, reveal } from './views/dashboard.js';

/** How long a link's tracker and view wait for its profile; a trace is replayed first. */
const openLimitMs = 120_000;

export class UriHandler implements vscode.UriHandler {
  constructor(
    readonly core: Core,
    readonly dashboards: Dashboards,
    /** Settles when the profile that the window showed last is shown again. */
    readonly restored: Promise<void>,
  ) {}

  async handleUri(uri: vscode.Uri): Promise<void> {
    const link = parseLink(uri.path, uri.query);
    try {
      if ('kind' in link) throw new Error(problemText(link));
      await this.#follow(link);
    } catch (error) {
      void vscode.window.showErrorMessage(vscode.l10n.t('The link could not be opened: {0}', reasonOf(error)));
    }
  }

  async #follow({ profile, source, view, tracker }: Link): Promise<void> {
    await this.restored;
    const place = source && (await placeNow(this.core, source));
    const file = profile ?? place?.file;
    if (file && !(await mayOpen(file))) return;
    if (profile) await this.#openProfile(profile);
    if (tracker) await this.core.request('pagelens/select', { tracker });
    if (view) await this.#showView(view);
    if (place) await reveal(place);
  }

  /** Resolves when the profile is the one that is shown. */
  async #openProfile(file: string): Promise<void> {
    const shown = new Promise<void>((resolve, reject) => {
      const listener = this.core.onSelection(({ profile }) => {
        if (profile === file) done(resolve);
      });
      const timer = setTimeout(
        () => done(() => reject(new Error(vscode.l10n.t('{0} was not opened.', path.basename(file))))),
        openLimitMs,
      );
      const done = (settle: () => void) => {
        clearTimeout(timer);
        listener.dispose();
        settle();
      };
    });
    await vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(file), profileEditor);
    await shown;
  }

  async #showView(view: string): Promise<void> {
    // Core knows the views, and says which there are when this is none.
    await this.core.request('pagelens/view', { view: view as ViewId, pixels: [1, 1] });
    this.dashboards.show(view as ViewId);
  }
}

/** Whether there is such a file, and it is the workspace's or the user agrees. */
async function mayOpen(file: string): Promise<boolean> {
  const isFile = await stat(file).then(
    found => found.isFile(),
    () => false,
  );
  if (!isFile) throw new Error(vscode.l10n.t('{0} is not a file on this machine.', file));
  // A symbolic link within the workspace may lead out of it.
  if (vscode.workspace.getWorkspaceFolder(vscode.Uri.file(await realpath(file)))) return true;
  const open = vscode.l10n.t('Open');
  const message = vscode.l10n.t('A link asks to open {0}.', path.basename(file));
  const detail = vscode.l10n.t('The file is outside the workspace: {0}', file);
  return (await vscode.window.showWarningMessage(message, { modal: true, detail }, open)) === open;
}

function problemText({ kind, text }: LinkProblem): string {
  switch (kind) {
    case 'unknownAction':
      return vscode.l10n.t('{0} is unknown; links begin with {1}.', text, 'vscode://pagelens.pagelens/open?');
    case 'unknownParameter':
      return vscode.l10n.t('the parameter {0} is unknown; there are {1}.', text, 'file, line, view, tracker');
    case 'repeatedParameter':
      return vscode.l10n.t('the parameter {0} stands there twice.', text);
    case 'notAbsolute':
      return vscode.l10n.t('{0} is no absolute path.', text);
    case 'badLine':
      return vscode.l10n.t('line {0}: needs a source file, and a whole number from 1 on.', text);
    case 'badName':
      return vscode.l10n.t('{0} is no name of a view or tracker.', text);
    case 'nothing':
      return vscode.l10n.t('it names neither a file nor a view nor a tracker.');
  }
}
