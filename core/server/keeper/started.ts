/**
 * The language server's keeper, started when this file is loaded. The server's entry does so before all else: the thread
 * and the profile that the editor is about to open take no less time than the library that speaks with the editor.
 */
import { isTrace } from '../../session.js';
import { openedAhead } from './ahead.js';
import { startKeeper } from './thread.js';

/** The file after `--expect`. A trace is replayed elsewhere, and only when it is asked for. */
function expected(args: readonly string[]): string | null {
  const at = args.indexOf('--expect');
  const file = at < 0 ? undefined : args[at + 1];
  return file === undefined || isTrace(file) ? null : file;
}

const file = expected(process.argv);
export const keeper = file === null ? startKeeper() : openedAhead(startKeeper(), file);
