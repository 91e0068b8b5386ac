/** The language client's library as a bundle of its own, which is loaded when core is first needed (esbuild.mjs). */
export { IPCMessageReader, IPCMessageWriter, LanguageClient, State } from 'vscode-languageclient/node';
