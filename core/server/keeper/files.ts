/** The keeper's files as they are on disk. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadSource, save } from '../../profile/file.js';
import { renderReport } from '../../profile/formats.js';
import { placeAnew } from '../../session.js';
import type { KeeperFiles } from './keeper.js';

export const keeperFiles: KeeperFiles = {
  load: loadSource,
  async save(profile, file) {
    await mkdir(path.dirname(file), { recursive: true });
    await save(profile, file);
  },
  export: (profile, file, format) => writeFile(file, renderReport(profile, format)),
  async keepPrevious(file) {
    const previous = path.join(path.dirname(file), 'previous.pagelens');
    return rename(file, previous).then(
      () => previous,
      // Somebody cleaned up; the comparison is made from memory then.
      () => null,
    );
  },
  placeAnew,
};
