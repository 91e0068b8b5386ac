/** What the user is asked: which program, which build, which of several programs that came out. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { configuredBuild } from '../config.js';
import type { Core } from '../core.js';
import type { Builders } from './build/builders.js';
import type { Choice } from './choices/choice.js';
import { buildProviders, providers } from './choices/providers.js';
import type { Target } from './target.js';

interface Item extends vscode.QuickPickItem {
  readonly choice?: Choice;
}

/**
 * Offers the programs of all folders. The list shows at once and fills as the answers come, since CMake may take a
 * while; it grows at its end only, so that no row moves under a mouse that is about to click. What is asked for is
 * stopped when the list is closed.
 * @param first what stands on top, such as the file on screen
 */
export async function pickProgram(builders: Builders, first: readonly Choice[]): Promise<Target | undefined> {
  const pick = vscode.window.createQuickPick<Item>();
  pick.title = vscode.l10n.t('Profile page accesses');
  pick.placeholder = vscode.l10n.t('Choose a program. Targets are built with access hooks first');
  pick.matchOnDescription = true;
  pick.keepScrollPosition = true;
  pick.busy = true;
  const abort = new AbortController();
  const sections = (vscode.workspace.workspaceFolders ?? []).flatMap(folder =>
    providers.map(provider => ({ folder, provider, choices: null as readonly Choice[] | null })),
  );
  const several = (vscode.workspace.workspaceFolders?.length ?? 0) > 1;
  const draw = () => {
    const [active] = pick.activeItems;
    const items: Item[] = first.map(itemOf);
    const waiting = sections.findIndex(({ choices }) => choices === null);
    for (const { folder, provider, choices: found } of waiting < 0 ? sections : sections.slice(0, waiting)) {
      const choices = found!.filter(({ file }) => !file || first.every(choice => choice.file !== file));
      if (choices.length === 0) continue;
      const label = several ? `${folder.name} · ${provider.title}` : provider.title;
      items.push({ label, kind: vscode.QuickPickItemKind.Separator }, ...choices.map(itemOf));
    }
    if (waiting < 0) items.push({ label: '', kind: vscode.QuickPickItemKind.Separator }, itemOf(browse));
    pick.items = items;
    const again = items.find(({ choice }) => choice === active?.choice);
    if (active && again) pick.activeItems = [again];
  };
  draw();
  const searches = sections.map(async section => {
    section.choices = await section.provider.find(section.folder, builders, abort.signal).catch(() => []);
    draw();
  });
  void Promise.all(searches).then(() => {
    pick.busy = false;
  });
  try {
    const choice = await new Promise<Choice | undefined>(resolve => {
      pick.onDidAccept(() => resolve(pick.selectedItems[0]?.choice));
      pick.onDidHide(() => resolve(undefined));
      pick.show();
    });
    return await choice?.target();
  } finally {
    abort.abort();
    pick.dispose();
  }
}

function itemOf(choice: Choice): Item {
  const { label, description, detail } = choice;
  return { label, ...(description && { description }), ...(detail && { detail }), choice };
}

const browse: Choice = {
  label: vscode.l10n.t('$(folder-opened) Browse for an executable...'),
  target: pickExecutable,
};

export async function pickExecutable(): Promise<Target | undefined> {
  const [file] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Profile an executable'),
      openLabel: vscode.l10n.t('Profile'),
      defaultUri: vscode.workspace.workspaceFolders?.[0]?.uri,
    })) ?? [];
  return file && { program: file.fsPath, scope: file };
}

/** Which of the programs in a build's folder; null: the user closed the list, or was told that there is none. */
export async function pickBuilt(core: Core, folder: string): Promise<string | null> {
  const files = await core.request('pagelens/findPrograms', { folder });
  if (files.length === 1) return files[0]!;
  if (files.length === 0) {
    await explainNoneBuilt(folder);
    return null;
  }
  const items = files.map(file => ({ label: path.relative(folder, file), file }));
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Profile page accesses'),
    placeHolder: vscode.l10n.t('Choose one of the programs that were built; the latest come first'),
  });
  return picked?.file ?? null;
}

async function explainNoneBuilt(folder: string): Promise<void> {
  const settings = vscode.l10n.t('Open Settings');
  const message = vscode.l10n.t(
    'The build ended well, but no program in {0} has access hooks: the build does not use the compilers that CC, CXX and FC name. Set "pagelens.buildCommand" to one that does, such as make clean && make CC="$CC" CXX="$CXX".',
    folder,
  );
  if ((await vscode.window.showErrorMessage(message, settings)) === settings)
    await vscode.commands.executeCommand('workbench.action.openSettings', 'pagelens.buildCommand');
}

/**
 * How a program without hooks is built with them: the configured command, or the target of a project that makes a file
 * of its name; a list where that is not clear. How it is run stays as it was.
 */
export async function pickBuild(builders: Builders, target: Target): Promise<Target | undefined> {
  const { build: _, program, ...how } = target;
  const configured = configuredBuild(target.scope);
  if (configured) return { ...how, program, build: configured };
  const abort = new AbortController();
  const searches = (vscode.workspace.workspaceFolders ?? []).flatMap(folder =>
    buildProviders
      .filter(provider => provider.applies(folder))
      .map(provider => provider.find(folder, builders, abort.signal)),
  );
  const choices = (await Promise.all(searches)).flat();
  if (choices.length === 0) {
    await explainNoBuild(program);
    return undefined;
  }
  const makesIt = choices.filter(({ executable }) => program !== null && executable === path.basename(program));
  const choice = makesIt.length === 1 ? makesIt[0] : (await chooseBuild(choices))?.choice;
  const chosen = await choice?.target();
  return chosen && { ...how, program: chosen.program, ...(chosen.build && { build: chosen.build }) };
}

function chooseBuild(choices: readonly Choice[]): Thenable<Item | undefined> {
  return vscode.window.showQuickPick(choices.map(itemOf), {
    title: vscode.l10n.t('Build with Pagelens'),
    placeHolder: vscode.l10n.t('Choose what builds the program; it is built apart from your own objects'),
  });
}

async function explainNoBuild(program: string | null): Promise<void> {
  const settings = vscode.l10n.t('Open Settings');
  const message = vscode.l10n.t(
    'Pagelens finds neither a CMake project nor a makefile nor a build.ninja that builds {0}. Set "pagelens.buildCommand" to the command that does; it runs with CC, CXX and FC set to compilers with access hooks.',
    path.basename(program ?? ''),
  );
  if ((await vscode.window.showInformationMessage(message, settings)) === settings)
    await vscode.commands.executeCommand('workbench.action.openSettings', 'pagelens.buildCommand');
}
