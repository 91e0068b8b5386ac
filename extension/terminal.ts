/**
 * Runs in a task's terminal while a program is profiled (`node terminal.cjs SOCKET`).
 *
 * It tells the extension the terminal's device, which core gives to the program as its standard streams, and keeps the
 * terminal open until the program has ended. So the program reads and writes a real terminal, although core, which is
 * no child of the terminal, starts and records it. Ctrl+C comes here and is passed on as a cancellation.
 */
import * as fs from 'node:fs';
import * as net from 'node:net';
import process from 'node:process';
import { type FromTerminal, onLines, type ToTerminal } from './program/terminalLink.js';

const socket = net.connect(process.argv[2] ?? '');
const say = (message: FromTerminal) => socket.write(`${JSON.stringify(message)}\n`);

socket.on('connect', () => say({ kind: 'ready', device: fs.readlinkSync('/proc/self/fd/1') }));
onLines(socket, line => {
  const { text, status } = JSON.parse(line) as ToTerminal;
  process.stdout.write(`${text}\n`, () => process.exit(status));
});
socket.on('close', () => process.exit(1));
socket.on('error', error => {
  process.stderr.write(`The window that profiles this program is gone: ${error.message}\n`);
  process.exit(1);
});

let interrupts = 0;
process.on('SIGINT', () => {
  // The first asks for an orderly end, which keeps what was recorded; the second gives the terminal back at once.
  if (++interrupts > 1) process.exit(130);
  say({ kind: 'interrupt' });
});
