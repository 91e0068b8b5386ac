/**
 * The order of the unit tests: what takes longest first, so that in the end no process waits for another. Vitest
 * remembers how long files took, but not on a new machine.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** More than half a minute each. */
const LONG = [
  'pipeline/cli',
  'record/realProjects',
  'webview/tables',
  'record/projects',
  'record/record',
  'record/unseen',
  'webview/heatmap',
  'pipeline/lines',
  'pipeline/valgrind',
  'webview/page',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex(name => moduleId.endsWith(`/test/${name}.test.ts`));
      return at < 0 ? LONG.length : at;
    };
    return [...(await super.sort(files))].sort((a, b) => rank(a) - rank(b));
  }
}
