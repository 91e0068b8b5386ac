/** The one page that every dashboard shows. Scripts by nonce, styles and fonts from the package, nothing else. */

export interface DashboardAssets {
  readonly cspSource: string;
  readonly script: string;
  readonly style: string;
  readonly codicons: string;
  readonly nonce: string;
  readonly language: string;
  /** Translations into it; undefined: there are none. */
  readonly bundle: Readonly<Record<string, string>> | undefined;
}

export function dashboardHtml(assets: DashboardAssets): string {
  const { cspSource, script, style, codicons, nonce, language, bundle = {} } = assets;
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}`,
    `font-src ${cspSource}`,
    `img-src ${cspSource} data: blob:`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pagelens</title>
<link rel="stylesheet" id="vscode-codicon-stylesheet" href="${codicons}">
<link rel="stylesheet" href="${style}">
</head>
<body>
<div id="root"></div>
<script type="application/json" id="l10n-bundle">${JSON.stringify(bundle).replaceAll('<', '\\u003c')}</script>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>
`;
}
