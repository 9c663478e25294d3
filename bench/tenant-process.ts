// The simulated tenant as a process of its own, so that its work is not counted as the gateway's.
import { startGraphServer } from '../src/demo/graph-server.ts';
import { makeTenant, updateUser } from '../src/demo/tenant.ts';

const [users = '2000', groups = '80', membersPerGroup = '40'] = process.argv.slice(2);
const tenant = makeTenant({ users: Number(users), groups: Number(groups), membersPerGroup: Number(membersPerGroup) });
const server = await startGraphServer(tenant, { answerMs: Number(process.env['BENCH_ANSWER_MS'] ?? 0) });
process.send?.({ tenantId: tenant.id, origin: server.origin, ca: server.ca, clientId: server.application.clientId });
let changes = 0;
/** So many people get another title. */
process.on('message', (count: number) => {
  for (const id of [...tenant.users.keys()].slice(0, count)) {
    changes += 1;
    updateUser(tenant, id, { jobTitle: `Title ${changes}` });
  }
  process.send?.('changed');
});
process.on('disconnect', () => process.exit(0));
