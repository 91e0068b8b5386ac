/** The command that installs a compiler, in the words of the system's package manager. */

interface PackageManager {
  readonly command: string;
  /** Debian's names of packages -> this one's. */
  readonly names: Readonly<Record<string, string>>;
}

const managers: Readonly<Record<string, PackageManager>> = {
  debian: { command: 'sudo apt-get install', names: {} },
  fedora: {
    command: 'sudo dnf install',
    names: { 'g++': 'gcc-c++', gfortran: 'gcc-gfortran', 'libc6-dev': 'glibc-devel' },
  },
  suse: {
    command: 'sudo zypper install',
    names: { 'g++': 'gcc-c++', gfortran: 'gcc-fortran', 'libc6-dev': 'glibc-devel' },
  },
  arch: { command: 'sudo pacman -S', names: { 'g++': 'gcc', gfortran: 'gcc-fortran', 'libc6-dev': 'glibc' } },
  alpine: { command: 'sudo apk add', names: { 'libc6-dev': 'libc-dev' } },
};

/** Families by the ids that os-release(5) gives in ID and ID_LIKE. */
const families: Readonly<Record<string, string>> = {
  ...{ debian: 'debian', ubuntu: 'debian', fedora: 'fedora', rhel: 'fedora', centos: 'fedora' },
  ...{ suse: 'suse', opensuse: 'suse', sles: 'suse', arch: 'arch', archlinux: 'arch', alpine: 'alpine' },
};

/** @param osRelease content of /etc/os-release; of an unknown system, Debian's command is the best known */
export function installCommand(debianName: string, osRelease: string): string {
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap(match => match[1]!.split(/\s+/));
  const family = ids.map(id => families[id]).find(found => found !== undefined) ?? 'debian';
  const { command, names } = managers[family]!;
  return `${command} ${names[debianName] ?? debianName}`;
}
