/** Entry of the language server. An editor starts it as `node dist/server.cjs --node-ipc` (or `--stdio`). */
// Evaluated first.
import './server/keeper/started.js';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { version } from './assets.js';
import { type OptionTexts, replayOptions } from './options.js';
import { serve } from './server/connection.js';
import { keeper } from './server/keeper/started.js';
import { profileProgram, replayTrace } from './session.js';

serve(createConnection(ProposedFeatures.all), {
  version: version(),
  keeper,
  profileProgram: (request, hooks) =>
    profileProgram(
      { recorder: 'instrument', ...request, options: replayOptions((request.options ?? {}) as OptionTexts) },
      hooks,
    ),
  replayTrace: (file, options, hooks) => replayTrace(file, replayOptions(options), hooks),
});
