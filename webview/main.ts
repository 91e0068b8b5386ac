/** Entry of the dashboard's page: controls, page, and the messages that change it. */
import './webview.css';
import { connect } from './host.js';
import { Page } from './page.js';
import { registerControls } from './toolkit.js';

registerControls();
const page = new Page(document.getElementById('root')!);
connect(message => {
  switch (message.kind) {
    case 'selection':
      page.select(message.selection);
      return;
    case 'show':
      page.show(message.view);
      return;
    case 'progress':
      page.progress(message.progress);
      return;
    case 'liveHeat':
      page.liveHeat(message.heat);
      return;
  }
});
