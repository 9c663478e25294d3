// A real OpenLDAP on loopback, with a throw-away certificate and entries loaded before it starts. Needs Debian's slapd;
// where it is missing tests are skipped by name, but never under CI.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCertificate } from './certificate.ts';
import { freePort } from './ports.ts';

const SLAPD = '/usr/sbin/slapd';
const SLAPADD = '/usr/sbin/slapadd';
const SCHEMAS = '/etc/ldap/schema';

/** Why there is no slapd, or false: for `describe(…, { skip: slapdMissing })`. */
export const slapdMissing: string | false = missing();

function missing(): string | false {
  if (existsSync(SLAPD) && existsSync(SLAPADD)) return false;
  if (process.env['CI'] === 'true') throw new Error('slapd is missing: apt-get install slapd ldap-utils');
  return 'no slapd here';
}

export const SUFFIX = 'dc=example,dc=com';
export const ADMIN_DN = `cn=admin,${SUFFIX}`;
export const ADMIN_PASSWORD = 'throw-away';

export interface Slapd {
  readonly url: string;
  readonly secureUrl: string;
  readonly port: number;
  /** The authority of its certificate, in PEM. */
  readonly ca: string;
  /** Starts it again with what it has. */
  start(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Changes entries, as LDIF says. */
  modify(ldif: string): void;
  close(): Promise<void>;
}

/** @param ldif entries below the suffix, which is there already, with `ou=People` and `ou=Groups` */
export async function startSlapd(ldif: string, config = ''): Promise<Slapd> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-slapd-'));
  const [port, securePort] = [await freePort(), await freePort()];
  const ca = await writeCertificate(folder);
  mkdirSync(join(folder, 'db'));
  const file = join(folder, 'slapd.conf');
  writeFileSync(file, configuration(folder, config));
  writeFileSync(join(folder, 'entries.ldif'), `${ROOT}\n${ldif}`);
  execFileSync(SLAPADD, ['-q', '-f', file, '-l', join(folder, 'entries.ldif')], { stdio: 'pipe' });
  let child: ChildProcess | undefined;
  const url = `ldap://127.0.0.1:${port}`;
  const slapd: Slapd = {
    url,
    secureUrl: `ldaps://127.0.0.1:${securePort}`,
    port,
    ca,
    async start() {
      const listen = `${url}/ ldaps://127.0.0.1:${securePort}/`;
      child = spawn(SLAPD, ['-d', '0', '-f', file, '-h', listen], { stdio: 'ignore' });
      await untilOpen(port, child);
    },
    async kill() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise<void>((resolve) => child?.once('exit', () => resolve()));
      child.kill('SIGKILL');
      await gone;
    },
    modify(text) {
      const options = ['-x', '-H', url, '-D', ADMIN_DN, '-w', ADMIN_PASSWORD];
      execFileSync('/usr/bin/ldapmodify', options, { input: text, stdio: 'pipe' });
    },
    async close() {
      await slapd.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await slapd.start();
  return slapd;
}

const ROOT = `dn: ${SUFFIX}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=People,${SUFFIX}
objectClass: organizationalUnit
ou: People

dn: ou=Groups,${SUFFIX}
objectClass: organizationalUnit
ou: Groups
`;

function configuration(folder: string, more: string): string {
  return `include ${SCHEMAS}/core.schema
include ${SCHEMAS}/cosine.schema
include ${SCHEMAS}/nis.schema
include ${SCHEMAS}/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${folder}/slapd.pid
TLSCertificateFile ${folder}/cert.pem
TLSCertificateKeyFile ${folder}/key.pem
database mdb
maxsize 268435456
suffix "${SUFFIX}"
rootdn "${ADMIN_DN}"
rootpw ${ADMIN_PASSWORD}
directory ${folder}/db
index objectClass eq
index modifyTimestamp,entryUUID eq
limits users size.prtotal=unlimited
${more}
`;
}

/** Resolves when it takes connections; it says nothing when it is ready. */
async function untilOpen(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`slapd ended with ${child.exitCode}`);
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => socket.removeAllListeners());
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
