/** The messages of builds that Pagelens starts, in the Problems panel until the next build. */
import * as vscode from 'vscode';
import { compilerMessages } from './compilerMessages.js';

const severities = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  note: vscode.DiagnosticSeverity.Information,
} as const;

export class Problems implements vscode.Disposable {
  readonly #collection = vscode.languages.createDiagnosticCollection('Pagelens');

  clear(): void {
    this.#collection.clear();
  }

  /**
   * @param folder where the build ran
   * @param source of which folder that one is a mirror
   * @returns the place of the first error, to be shown
   */
  show(output: string, folder: string, source = folder): vscode.Location | null {
    const byFile = new Map<string, vscode.Diagnostic[]>();
    let first: vscode.Location | null = null;
    for (const { file, line, column, severity, text } of compilerMessages(output, folder)) {
      const own = file.startsWith(`${folder}/`) ? source + file.slice(folder.length) : file;
      const start = new vscode.Position(line - 1, Math.max(0, column - 1));
      // Without a column the whole line; an editor cuts the range at the line's end.
      const range = column === 0 ? new vscode.Range(line - 1, 0, line, 0) : new vscode.Range(start, start);
      const diagnostic = new vscode.Diagnostic(range, text, severities[severity]);
      diagnostic.source = 'Pagelens';
      byFile.set(own, [...(byFile.get(own) ?? []), diagnostic]);
      if (severity === 'error') first ??= new vscode.Location(vscode.Uri.file(own), range);
    }
    this.#collection.clear();
    for (const [file, diagnostics] of byFile) this.#collection.set(vscode.Uri.file(file), diagnostics);
    return first;
  }

  dispose(): void {
    this.#collection.dispose();
  }
}
