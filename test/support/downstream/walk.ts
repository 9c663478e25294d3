// A directory that changes at random, as a SCIM client of the gateway would change it. Titles and names carry a number that
// only grows, so that whoever is told of them out of order can be seen.
import { expectStatus, type TestGateway } from '../gateway.ts';
import { type Doc, ENTERPRISE, GROUP, USER } from './schema.ts';

export interface Walk {
  /** Somebody is hired, moves, leaves, comes back: one change. */
  step(): Promise<void>;
  /** Everybody in the directory now. */
  read(kind: 'User' | 'Group'): Promise<readonly Doc[]>;
}

const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const PAGE = 1_000;

export function startWalk(gateway: TestGateway, random: () => number): Walk {
  let users: string[] = [];
  let groups: string[] = [];
  let count = 0;

  const pick = (ids: readonly string[]): string | undefined => ids[Math.floor(random() * ids.length)];
  const send = async (method: string, path: string, body: Doc | undefined, status: number): Promise<Doc> =>
    (await expectStatus(gateway.call<Doc>(method, `/scim/v2${path}`, body), status)).body;
  const patch = (path: string, ...Operations: Doc[]): Promise<Doc> =>
    send('PATCH', path, { schemas: [PATCH], Operations }, 200);
  const set = (path: string, value: unknown): Doc =>
    value === undefined ? { op: 'remove', path } : { op: 'replace', path, value };
  const chance = (share: number): boolean => random() < share;

  async function hire(): Promise<void> {
    const name = { givenName: `Given ${count}`, familyName: 'Ö\'Neill "the" \\ 2nd' };
    const emails = [{ value: `person${count}@example.com`, type: 'work', primary: true }];
    const body = {
      schemas: [USER, ENTERPRISE],
      userName: `Person+${count}@example.com`,
      active: true,
      userType: chance(0.8) ? 'Employee' : 'Guest',
      title: `Title ${count}`,
      name,
      emails,
      [ENTERPRISE]: { department: `Department ${count}` },
    };
    users.push(String((await send('POST', '/Users', body, 201))['id']));
  }

  async function changeUser(id: string): Promise<void> {
    const at = `/Users/${id}`;
    const dice = random();
    if (dice < 0.3) await patch(at, set('title', chance(0.2) ? undefined : `Title ${count}`));
    else if (dice < 0.45)
      await patch(at, set('name.givenName', `Given ${count}`), set('displayName', `Shown ${count}`));
    else if (dice < 0.65) await patch(at, set('active', chance(0.6)));
    else if (dice < 0.75) await patch(at, set('userType', chance(0.7) ? 'Employee' : 'Guest'));
    else if (dice < 0.85)
      await patch(at, set(`${ENTERPRISE}:department`, chance(0.3) ? undefined : `Department ${count}`));
    else if (dice < 0.93) {
      const phone = { value: `+82 2 ${count}`, type: 'mobile' };
      await patch(at, set('phoneNumbers', chance(0.3) ? undefined : [phone]));
    } else await patch(at, set('userName', `Renamed+${count}@example.com`));
  }

  async function manage(id: string): Promise<void> {
    const manager = pick(users);
    if (manager === undefined || manager === id) return;
    await patch(`/Users/${id}`, set(`${ENTERPRISE}:manager`, chance(0.3) ? undefined : { value: manager }));
  }

  async function changeGroup(group: string, user: string): Promise<void> {
    const dice = random();
    if (dice < 0.55) {
      const value = [...new Set([user, ...(chance(0.3) ? users.slice(-5) : [])])].map((id) => ({ value: id }));
      await patch(`/Groups/${group}`, { op: 'add', path: 'members', value });
    } else if (dice < 0.85) await patch(`/Groups/${group}`, { op: 'remove', path: `members[value eq "${user}"]` });
    else await patch(`/Groups/${group}`, set('displayName', `Group ${count}`));
  }

  async function step(): Promise<void> {
    const [user, group, dice] = [pick(users), pick(groups), random()];
    count += 1;
    if (user === undefined || dice < 0.17) await hire();
    else if (group === undefined || dice < 0.21) {
      const body = { schemas: [GROUP], displayName: `Group ${count}`, members: [{ value: user }] };
      groups.push(String((await send('POST', '/Groups', body, 201))['id']));
    } else if (dice < 0.55) await changeUser(user);
    else if (dice < 0.6) await manage(user);
    else if (dice < 0.92) await changeGroup(group, user);
    else if (dice < 0.98) {
      await send('DELETE', `/Users/${user}`, undefined, 204);
      users = users.filter((id) => id !== user);
    } else {
      await send('DELETE', `/Groups/${group}`, undefined, 204);
      groups = groups.filter((id) => id !== group);
    }
  }

  async function read(kind: 'User' | 'Group'): Promise<readonly Doc[]> {
    const all: Doc[] = [];
    for (;;) {
      const page = await send('GET', `/${kind}s?startIndex=${all.length + 1}&count=${PAGE}`, undefined, 200);
      const resources = (page['Resources'] ?? []) as Doc[];
      all.push(...resources);
      if (resources.length < PAGE) return all;
    }
  }

  return { step, read };
}
