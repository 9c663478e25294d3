import type { Check } from '#core/check.ts';
import { check, type Finding } from '#core/check.ts';
import { type Connection, connect, type RawEntry } from './connection.ts';
import { searchOf } from './everybody.ts';
import { memberAttributes } from './read.ts';
import { anchorOf } from './records.ts';
import { hostOf, type LdapSettings, planOf } from './settings.ts';

/**
 * Says step by step what works: `connect` (with encryption and signing in), `read-users`, `read-groups`,
 * `read-members`. Changes nothing, never throws.
 */
export async function checkConnection(settings: LdapSettings, signal: AbortSignal): Promise<readonly Check[]> {
  const checks: Check[] = [];
  let connection: Connection | undefined;
  checks.push(
    await check('connect', async () => {
      connection = await connect(settings, signal);
      return describeConnection(settings);
    }),
  );
  const steps: readonly [string, (connection: Connection) => Promise<Finding>][] = [
    ['read-users', (open) => canRead(open, settings, 'User', signal)],
    ['read-groups', (open) => canRead(open, settings, 'Group', signal)],
    ['read-members', (open) => canReadMembers(open, settings, signal)],
  ];
  for (const [name, step] of steps) {
    const open = connection;
    if (open === undefined)
      checks.push({ name, ok: false, detail: 'Not tried, since there is no connection.', remedy: null });
    else checks.push(await check(name, () => step(open)));
  }
  await connection?.close();
  return checks;
}

function describeConnection(settings: LdapSettings): string {
  const { url, startTls, bind } = settings;
  const how = url.startsWith('ldaps:') ? 'over TLS' : startTls ? 'with StartTLS' : 'UNENCRYPTED';
  return `Connected to "${hostOf(settings)}" ${how}, ${bind === null ? 'anonymously' : `as "${bind.dn}"`}.`;
}

async function canRead(
  connection: Connection,
  settings: LdapSettings,
  type: 'User' | 'Group',
  signal: AbortSignal,
): Promise<Finding> {
  const what = type === 'User' ? 'users' : 'groups';
  const plan = planOf(settings);
  const asked = searchOf({ settings, plan }, type, [plan.anchor]);
  if (asked === undefined) return 'Groups are not read: the settings have no "groups".';
  const [found] = await connection.first(asked, signal);
  if (found === undefined)
    return {
      problem: `No ${what} are found below "${asked.base}".`,
      remedy: `Check ${what}.base and ${what}.filter, and that the account may read them. The filter is ${asked.filter}.`,
    };
  return (
    checkAnchor(found, plan.anchor) ?? `${type === 'User' ? 'Users' : 'Groups'} can be read, such as "${found.dn}".`
  );
}

function checkAnchor(entry: RawEntry, anchor: string): Finding | undefined {
  if (anchorOf(entry, anchor) !== undefined) return undefined;
  return {
    problem: `"${entry.dn}" has no "${anchor}", by which it would be known for ever.`,
    remedy: `Let the account read "${anchor}", choose the preset of the server, or name another attribute as anchor.`,
  };
}

async function canReadMembers(connection: Connection, settings: LdapSettings, signal: AbortSignal): Promise<Finding> {
  const plan = planOf(settings);
  const attributes = memberAttributes(plan);
  const present = `(|${attributes.map((name) => `(${name}=*)`).join('')})`;
  const asked = searchOf({ settings, plan }, 'Group', attributes, present);
  if (asked === undefined) return 'Members are not read: the settings have no "groups".';
  const [found] = await connection.first(asked, signal);
  if (found === undefined)
    return {
      problem: `No group shows a member in "${plan.memberAttribute}".`,
      remedy: 'If groups have members, let the account read them, or set memberAttribute to where they are.',
    };
  return `Members can be read, such as those of "${found.dn}".`;
}
