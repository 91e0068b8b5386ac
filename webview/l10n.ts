/**
 * The page's words in the editor's language: by the bundle that the extension puts into the page, which holds the same
 * translations as its own `vscode.l10n`. Imported first of all, since some texts are made when their file is loaded.
 */
import { speak } from '../core/model/l10n.js';

export { number, plural, t } from '../core/model/l10n.js';

/** Id of the page's element with the bundle; see dashboardHtml.ts. */
const bundleId = 'l10n-bundle';

/** The page in Node, where pure parts are tested, has neither bundle nor language. */
const page = globalThis.document as Document | undefined;
if (page) speak(page.documentElement.lang || 'en', JSON.parse(page.getElementById(bundleId)?.textContent || '{}'));
