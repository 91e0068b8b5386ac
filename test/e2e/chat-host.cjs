/** In the extension host: the chat tools, called as a chat's model calls them, without a profile and with one. */
const assert = require('node:assert/strict');
const vscode = require('vscode');

exports.run = () =>
  stories().catch(error => {
    log(error.message);
    throw error;
  });

async function stories() {
  const folder = vscode.workspace.workspaceFolders[0].uri;
  const source = vscode.Uri.joinPath(folder, 'scan.c');
  await vscode.extensions.getExtension('pagelens.pagelens').activate();

  for (const name of ['pagelens_hottestRegions', 'pagelens_placement', 'pagelens_why']) {
    assert.match(await told(name, {}), /^No Pagelens profile is open.*do not guess numbers/s);
  }
  log('without a profile each tool says so');

  await vscode.window.showTextDocument(source);
  await vscode.commands.executeCommand('pagelens.profile', source);

  // By hand: 3 x 2^20 reads of a 2^20-element table of doubles, after 2^20 writes of it.
  const hottest = await told('pagelens_hottestRegions', {});
  assert.match(hottest, /Counted at source level over the whole run: 4,194,\d\d\d accesses/);
  assert.match(hottest, /\| sum \| (hot|warm) \| 75 % · 100 % read, 0 % write · .* \| .*scan\.c:\d+ \|/);
  const ofFile = await told('pagelens_hottestRegions', { file: 'scan.c', limit: 1 });
  assert.equal(ofFile.split('\n').filter(line => line.includes('scan.c:')).length, 1);
  assert.match(await told('pagelens_hottestRegions', { file: 'gone.c' }), /gone\.c is not a file of this workspace/);
  log('the hottest regions have their share, split and source');

  const placement = await told('pagelens_placement', {});
  assert.match(placement, /Modelled slowdown of each policy/);
  assert.match(placement, /\| malloc in main \(scan\.c:18\) \| heap \| 8 MiB \| 4,194,\d{3} \|/);
  log('the placement names tiers, policies and the allocation');

  const document = await vscode.workspace.openTextDocument(source);
  const line =
    document
      .getText()
      .split('\n')
      .findIndex(text => text.includes('total += table[i]')) + 1;
  const why = await told('pagelens_why', { file: source.fsPath, line });
  assert.match(why, /3,145,7\d\d/);
  assert.match(why, /75 % of the run's accesses/);
  assert.doesNotMatch(why, /command:|&nbsp;/);
  assert.match(await told('pagelens_why', { symbol: 'sum' }), /Function `sum`/);
  assert.match(await told('pagelens_why', { symbol: 'nowhere' }), /no function or allocation named nowhere/);
  assert.match(await told('pagelens_why', { file: source.fsPath, line: 1 }), /no accesses of .*scan\.c:1/);
  assert.match(await told('pagelens_why', {}), /Give either a symbol/);
  log('a line or a name is explained');
}

async function told(name, input) {
  const result = await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined });
  return result.content.map(part => part.value).join('');
}

/** Shown by the driver. */
function log(text) {
  console.log(`[test] ${text.replaceAll('\n', '\n[test] ')}`);
}
