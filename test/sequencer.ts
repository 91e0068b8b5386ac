/**
 * The order of the unit tests: what takes longest first, so that in the end no process waits for another. Vitest
 * remembers how long files took, but not on a new machine.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Twenty seconds or more each. */
const LONG = [
  'record/projects',
  'record/realProjects',
  'pipeline/cli',
  'webview/tables',
  'pipeline/lines',
  'pipeline/valgrind',
  'webview/page',
  'machine/walk',
  'webview/heatmap',
  'record/unseen',
  'machine/modes',
  'pipeline/known',
  'published/prl',
  'pipeline/windows',
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
