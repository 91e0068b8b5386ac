/** Entry of the language server. An editor starts it as `node dist/server.cjs --node-ipc` (or `--stdio`). */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { version } from './assets.js';
import { type OptionTexts, replayOptions } from './options.js';
import { save } from './profile/file.js';
import { renderReport } from './profile/formats.js';
import { serve } from './server/connection.js';
import { openProfile, placeAnew, profileProgram } from './session.js';

serve(createConnection(ProposedFeatures.all), {
  version: version(),
  profileProgram: (request, hooks) =>
    profileProgram({ ...request, options: replayOptions((request.options ?? {}) as OptionTexts) }, hooks),
  openProfile: (file, options, hooks) => openProfile(file, replayOptions(options), hooks),
  async saveProfile(profile, file) {
    await mkdir(path.dirname(file), { recursive: true });
    await save(profile, file);
  },
  placeAnew,
  async keepPrevious(file) {
    const previous = path.join(path.dirname(file), 'previous.pagelens');
    return rename(file, previous).then(
      () => previous,
      // Somebody cleaned up; the comparison is made from memory then.
      () => null,
    );
  },
  exportProfile: (profile, file, format) => writeFile(file, renderReport(profile, format)),
});
