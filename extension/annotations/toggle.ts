/** "Show or hide annotations": the setting itself is switched, so that the choice can be seen and survives. */
import * as vscode from 'vscode';
import { type AnnotationKind, annotationKinds, section } from '../config.js';

const hiddenKey = 'annotationsBeforeHiding';

export async function toggleAnnotations(context: vscode.ExtensionContext): Promise<void> {
  const config = vscode.workspace.getConfiguration(section);
  const shown = config.get<AnnotationKind[]>('annotations', []);
  const target = vscode.workspace.workspaceFolders
    ? vscode.ConfigurationTarget.Workspace
    : vscode.ConfigurationTarget.Global;
  if (shown.length > 0) {
    await context.workspaceState.update(hiddenKey, shown);
    await config.update('annotations', [], target);
  } else {
    await config.update('annotations', context.workspaceState.get(hiddenKey, [...annotationKinds]), target);
  }
}
