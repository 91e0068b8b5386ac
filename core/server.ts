/** Entry of the language server. An editor starts it as `node dist/server.cjs --node-ipc` (or `--stdio`). */
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { version } from './assets.js';
import { type OptionTexts, replayOptions } from './options.js';
import { serve } from './server/connection.js';
import { startKeeper } from './server/keeper/thread.js';
import { profileProgram, replayTrace } from './session.js';

serve(createConnection(ProposedFeatures.all), {
  version: version(),
  keeper: startKeeper(),
  profileProgram: (request, hooks) =>
    profileProgram(
      { recorder: 'instrument', ...request, options: replayOptions((request.options ?? {}) as OptionTexts) },
      hooks,
    ),
  replayTrace: (file, options, hooks) => replayTrace(file, replayOptions(options), hooks),
});
