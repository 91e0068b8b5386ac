/** Source packages of Debian's, fetched once by `apt-get source` with lists of its own: the machine's stay as they are. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const store = path.join(tmpdir(), 'pagelens-debian-sources');
const apt = path.join(store, 'apt');

/** Unpacks a package into a new folder below `into`, Debian's patches applied. Returns the folder. */
export function debianSource(name: string, into: string): string {
  const archives = path.join(store, name);
  const description = () => readdirSync(archives).find(file => file.endsWith('.dsc'));
  if (!existsSync(archives) || !description()) {
    mkdirSync(archives, { recursive: true });
    run('apt-get', [...aptOptions(), 'source', '--download-only', name], archives);
  }
  const folder = path.join(into, name);
  run('dpkg-source', ['--no-check', '-x', path.join(archives, description()!), folder], into);
  return folder;
}

/** apt's options for lists in our own folder, which are fetched when they are not there. */
function aptOptions(): string[] {
  const options = {
    'Dir::Etc::SourceList': path.join(apt, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': path.join(apt, 'lists'),
    'Dir::Cache': path.join(apt, 'cache'),
  };
  const words = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const lists = options['Dir::State::Lists'];
  if (!existsSync(lists)) {
    for (const folder of [path.join(lists, 'partial'), path.join(options['Dir::Cache'], 'archives/partial')])
      mkdirSync(folder, { recursive: true });
    const keys = '[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]';
    writeFileSync(options['Dir::Etc::SourceList'], `deb-src ${keys} http://deb.debian.org/debian bookworm main\n`);
    run('apt-get', [...words, 'update'], apt);
  }
  return words;
}

function run(program: string, args: readonly string[], cwd: string): void {
  execFileSync(program, args, { cwd, stdio: 'pipe' });
}
