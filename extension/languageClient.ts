/** The language client's library as a bundle of its own, which is loaded when core is first needed (esbuild.mjs). */
export { LanguageClient, State, TransportKind } from 'vscode-languageclient/node';
