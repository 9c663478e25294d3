// A real Active Directory domain controller, Samba's, on an address of its own on loopback: its ports are not ours to choose.
// Needs Debian's samba and root; where they are missing tests are skipped by name, but never under CI.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { writeCertificate } from './certificate.ts';

const SAMBA = '/usr/sbin/samba';
const TOOL = '/usr/bin/samba-tool';

/** Why there is no domain controller, or false: for `describe(…, { skip: sambaMissing })`. */
export const sambaMissing: string | false = missing();

function missing(): string | false {
  if (process.getuid?.() !== 0) return 'Samba takes its ports as root only';
  if (existsSync(SAMBA) && existsSync(TOOL) && existsSync('/usr/share/samba/setup')) return false;
  if (process.env['CI'] === 'true') throw new Error('samba is missing: see .ci/run');
  return 'no samba here';
}

export const DOMAIN = 'dc=corp,dc=test';
export const ADMINISTRATOR = 'Administrator@corp.test';
export const PASSWORD = 'Throw-away-1';

export interface Samba {
  readonly url: string;
  /** The authority of its certificate, in PEM. */
  readonly ca: string;
  /** Changes entries, as LDIF says. */
  modify(ldif: string): void;
  /** The name of the entry that the domain knows by this objectGUID. */
  nameOf(guid: string): string;
  close(): Promise<void>;
}

/** A new domain with `ou=People` and `ou=Teams`. */
export async function startSamba(): Promise<Samba> {
  const folder = mkdtempSync('/tmp/sluice-samba-');
  const address = `127.${64 + (process.pid % 64)}.${process.hrtime()[1] % 250}.9`;
  const ca = await writeCertificate(folder);
  provision(folder, address);
  const tls = ['tls cafile=', `tls certfile=${folder}/cert.pem`, `tls keyfile=${folder}/key.pem`];
  const places = [`log file=${folder}/log`, `pid directory=${folder}`, `ncalrpc dir=${folder}/rpc`];
  const options = ['server services=ldap', ...tls, ...places].map((option) => `--option=${option}`);
  const config = join(folder, 'domain', 'etc', 'smb.conf');
  const child = spawn(SAMBA, ['-i', '-M', 'single', '-s', config, ...options], { stdio: 'ignore' });
  const url = `ldaps://${address}`;
  const run = (tool: string, options: readonly string[], input = ''): string =>
    execFileSync(`/usr/bin/${tool}`, ['-x', '-H', url, '-D', ADMINISTRATOR, '-w', PASSWORD, ...options], {
      input,
      stdio: 'pipe',
      // The certificate is checked by the gateway; here it would only have to be configured.
      env: { LDAPTLS_REQCERT: 'never' },
    }).toString();
  await untilOpen(address, child);
  const samba: Samba = {
    url,
    ca,
    modify: (ldif) => void run('ldapmodify', [], ldif),
    nameOf: (guid) =>
      /^dn: (.*)$/m.exec(
        run('ldapsearch', ['-LLL', '-o', 'ldif-wrap=no', '-s', 'base', '-b', `<GUID=${guid}>`, 'cn']),
      )?.[1] ?? '',
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const units = ['People', 'Teams'].map(
    (name) => `dn: ou=${name},${DOMAIN}\nchangetype: add\nobjectClass: organizationalUnit\n`,
  );
  samba.modify(units.join('\n'));
  return samba;
}

function provision(folder: string, address: string): void {
  const options = [`interfaces=${address}/8`, 'bind interfaces only=yes', `posix:eadb=${folder}/eadb.tdb`];
  execFileSync(
    TOOL,
    [
      ...['domain', 'provision', '--realm=CORP.TEST', '--domain=CORP', '--host-name=DC1', `--adminpass=${PASSWORD}`],
      ...['--server-role=dc', '--dns-backend=NONE', `--host-ip=${address}`, `--targetdir=${folder}/domain`],
      ...options.map((option) => `--option=${option}`),
    ],
    { stdio: 'pipe' },
  );
}

/** Resolves when it takes connections; it says nothing when it is ready. */
async function untilOpen(address: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`samba ended with ${child.exitCode}`);
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = net.connect(636, address);
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
