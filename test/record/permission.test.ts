/** Why a program may not run, read from the mounts that proc(5) shows. */
import { expect, test } from 'vitest';
import { isMountedNoexec } from '../../core/record/permission.js';

/** The example line of proc(5), and what else a system has. */
const mountinfo = [
  '21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
  '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue',
  '40 21 0:30 / /tmp rw,nosuid,nodev,noexec shared:2 - tmpfs tmpfs rw',
  '41 40 0:31 / /tmp/may\\040run rw,relatime - tmpfs tmpfs rw',
  '42 21 0:32 / /over rw,noexec - tmpfs tmpfs rw',
  '43 42 0:33 / /over rw - tmpfs tmpfs rw,noexec',
].join('\n');

test.each([
  ['/usr/bin/program', false],
  ['/mnt2/program', false],
  ['/tmp/program', true],
  ['/tmp/deep/er/program', true],
  // Not within /tmp.
  ['/tmpfiles/program', false],
  ['/tmp/may run/program', false],
  // The later of two mounts on one point; what stands behind the dash is of the file system, not of the mount.
  ['/over/program', false],
])('%s: noexec is %s', (file, expected) => expect(isMountedNoexec(file, mountinfo)).toBe(expected));
