// Microsoft Graph and the token endpoint of one simulated tenant, over https with a throw-away certificate. It
// answers as Microsoft documents it: what is not documented here is refused, not guessed.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';
import { answerConsent, type Decision } from './consent-page.ts';
import { type Fault, type FaultPlan, makeFaults } from './faults.ts';
import { listPage, selected } from './graph-collections.ts';
import { type DeltaList, deltaPage } from './graph-delta.ts';
import {
  deletedItem,
  groupsOf,
  membersOf,
  notFound,
  organizationOf,
  reportsOf,
  searchedGroups,
  userBy,
  userShape,
} from './graph-directory.ts';
import { type BatchRequest, type ObjectPath, objectPath, readBatch, userPurposeOf } from './graph-objects.ts';
import { GraphProblem, problem } from './problem.ts';
import { makeSubscriptions, type Subscriptions } from './subscriptions.ts';
import type { Tenant } from './tenant.ts';
import { type Application, answerTokenRequest, discovery } from './token-endpoint.ts';

export interface GraphServerOptions {
  readonly application?: Partial<Application>;
  readonly faults?: FaultPlan;
  readonly deltas?: { readonly pageSize?: number; readonly membersPerObject?: number };
  /** Where others reach it, when something stands between: the base of the links that it gives. */
  readonly publicOrigin?: string;
  /** Where notifications for a URL are really sent: a simulated tenant reaches nobody else. */
  readonly deliverTo?: (url: string) => string;
  /** How long it thinks before each answer; a real tenant takes a second or two for a page of 999 people. */
  readonly answerMs?: number;
}

export interface GraphServer {
  /** `https://127.0.0.1:port`: both endpoints of the provider's settings. */
  readonly origin: string;
  /** Where it listens, which is another place than `origin` when something stands between. */
  readonly port: number;
  /** The authority to trust, PEM. */
  readonly ca: string;
  readonly application: Application;
  /** Requests by path without query, ids replaced by `{id}`. */
  readonly requests: Map<string, number>;
  /** Every access token given so far becomes invalid, as after a revocation. */
  revokeTokens(): void;
  setFaults(plan: FaultPlan): void;
  /** What the administrator does on the page of consent. */
  setDecision(decision: Decision): void;
  /** What the application is, from now on. */
  setApplication(changes: Partial<Application>): void;
  /** Every delta link given so far is answered by 410, as when Graph has forgotten what it stands for. */
  forgetDeltas(): void;
  readonly subscriptions: Subscriptions;
  close(): Promise<void>;
}

const ALL_ROLES = ['User.Read.All', 'GroupMember.Read.All', 'Organization.Read.All'];
/** Graph chooses the size of its pages of changes. */
const DELTA_PAGE = 200;
const DELTA_MEMBERS = 100;

export async function startGraphServer(tenant: Tenant, options: GraphServerOptions = {}): Promise<GraphServer> {
  const certificate = await generate([{ name: 'commonName', value: `Simulated tenant ${randomUUID()}` }], {
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  const graph = new SimulatedGraph(tenant, options);
  const server = createServer({ key: certificate.private, cert: certificate.cert }, (request, response) => {
    const answer = (): void => void graph.answer(request, response).catch(() => response.destroy());
    if (options.answerMs) setTimeout(answer, options.answerMs);
    else answer();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = (server.address() as AddressInfo).port;
  graph.origin = options.publicOrigin ?? `https://127.0.0.1:${port}`;
  return {
    origin: graph.origin,
    port,
    ca: certificate.cert,
    application: graph.application,
    requests: graph.requests,
    revokeTokens: () => graph.revokeTokens(),
    setFaults: (plan) => graph.setFaults(plan),
    setDecision: (decision) => {
      graph.decision = decision;
    },
    setApplication: (changes) => {
      graph.application = { ...graph.application, ...changes };
    },
    forgetDeltas: () => graph.forgetDeltas(),
    subscriptions: graph.subscriptions,
    close: () => closeServer(server),
  };
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

class SimulatedGraph {
  origin = '';
  readonly requests = new Map<string, number>();
  application: Application;
  decision: Decision = 'accept';
  private readonly tenant: Tenant;
  private readonly tokens = new Set<string>();
  private nextFault: (path: string) => Fault | undefined;

  readonly subscriptions: Subscriptions;
  private readonly deltas: { readonly pageSize: number; readonly membersPerObject: number };
  private forgottenBefore = 0;

  constructor(tenant: Tenant, { application, faults, deltas, deliverTo = (url) => url }: GraphServerOptions) {
    this.tenant = tenant;
    this.deltas = { pageSize: DELTA_PAGE, membersPerObject: DELTA_MEMBERS, ...deltas };
    this.subscriptions = makeSubscriptions(tenant, { deliverTo, need: (...roles) => this.need(...roles) });
    this.application = {
      clientId: '11111111-2222-4333-8444-555555555555',
      secret: 'demo-secret',
      roles: ALL_ROLES,
      ...application,
    };
    this.nextFault = makeFaults(faults);
  }

  revokeTokens(): void {
    this.tokens.clear();
  }

  setFaults(plan: FaultPlan): void {
    this.nextFault = makeFaults(plan);
  }

  forgetDeltas(): void {
    // A mark in the log, so that links given from now on are behind it.
    this.tenant.log.push({ kind: 'group', id: 'forgotten', what: 'updated', properties: [] });
    this.forgottenBefore = this.tenant.log.length;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin);
    const path = decodeURIComponent(url.pathname);
    this.countRequest(path);
    if (path.endsWith('/oauth2/v2.0/token')) return this.answerToken(request, response, path.split('/')[1] ?? '');
    if (path.endsWith('/.well-known/openid-configuration'))
      return this.answerDiscovery(response, path.split('/')[1] ?? '');
    if (path.endsWith('/v2.0/adminconsent')) return this.answerConsent(response, url);
    const fault = this.nextFault(path);
    if (fault?.kind === 'drop') return void response.socket?.destroy();
    if (fault?.kind === 'status') return sendStatus(response, fault);
    try {
      this.authenticate(request);
      if (path === '/v1.0/$batch') return send(response, 200, await this.answerBatch(request), false);
      if (path.startsWith('/v1.0/subscriptions')) {
        const answered = await this.subscriptions.answer(request, path);
        return send(response, answered.status, answered.body === undefined ? '' : JSON.stringify(answered.body), false);
      }
      const body = this.route(path, url, request.headers, fault);
      send(response, 200, body, fault?.kind === 'truncate');
    } catch (error) {
      if (!(error instanceof GraphProblem)) throw error;
      for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
      send(response, error.status, JSON.stringify(problem(error.code, error.message)), false);
    }
  }

  private countRequest(path: string): void {
    const counted = path.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '{id}');
    this.requests.set(counted, (this.requests.get(counted) ?? 0) + 1);
  }

  /** Each step is answered for itself, throttled or not. Source: learn.microsoft.com/graph/json-batching, checked 2026-11. */
  private async answerBatch(request: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const steps = readBatch(Buffer.concat(chunks).toString('utf8'));
    if (steps === undefined) throw new GraphProblem(400, 'BadRequest', 'Invalid batch payload format.');
    return JSON.stringify({ responses: steps.map((step) => this.answerStep(step)).reverse() });
  }

  private answerStep({ id, url, headers = {} }: BatchRequest): object {
    const asked = new URL(`/v1.0${url}`, this.origin);
    const path = decodeURIComponent(asked.pathname);
    this.countRequest(path);
    const fault = this.nextFault(path);
    const content = { 'Content-Type': 'application/json' };
    if (fault?.kind === 'status')
      return {
        id,
        status: fault.status,
        headers: fault.retryAfter === undefined ? content : { ...content, 'Retry-After': fault.retryAfter },
        body: problem(fault.status === 429 ? 'TooManyRequests' : 'ServiceUnavailable', 'Try again.'),
      };
    try {
      const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
      return { id, status: 200, headers: content, body: JSON.parse(this.route(path, asked, lower, fault)) };
    } catch (error) {
      if (!(error instanceof GraphProblem)) throw error;
      return { id, status: error.status, headers: content, body: problem(error.code, error.message) };
    }
  }

  private answerUser({ id, rest }: ObjectPath, url: URL): string {
    this.need('User.Read.All', 'Directory.Read.All');
    const user = this.tenant.users.get(id);
    if (user === undefined) throw notFound(id);
    if (rest === '') return JSON.stringify(userShape(this.tenant, url)(user));
    if (rest === 'manager') {
      const manager = this.tenant.users.get(this.tenant.managers.get(id) ?? '');
      if (manager === undefined) throw notFound('manager');
      return JSON.stringify({ '@odata.type': '#microsoft.graph.user', ...(selected(url)(manager) as object) });
    }
    if (rest !== 'mailboxSettings') throw new GraphProblem(400, 'BadRequest', `Resource not found for '${rest}'.`);
    this.need('MailboxSettings.Read', 'MailboxSettings.ReadWrite');
    const userPurpose = userPurposeOf(user);
    if (userPurpose !== undefined) return JSON.stringify({ userPurpose });
    throw new GraphProblem(
      404,
      'MailboxNotEnabledForRESTAPI',
      'The mailbox is either inactive, soft-deleted, or is hosted on-premise.',
    );
  }

  /** Source: learn.microsoft.com/graph/aad-advanced-queries, checked 2026-11. */
  private count(objects: Iterable<object>, headers: IncomingMessage['headers']): string {
    if (headers['consistencylevel'] !== 'eventual')
      throw new GraphProblem(400, 'Request_BadRequest', '$count is not supported without ConsistencyLevel: eventual.');
    return String([...objects].length);
  }

  private async answerToken(request: IncomingMessage, response: ServerResponse, tenant: string): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
    const answer = answerTokenRequest(form, tenant, {
      tenantId: this.tenant.id,
      application: this.application,
      origin: this.origin,
    });
    const token = (answer.body as { access_token?: string }).access_token;
    if (token !== undefined) this.tokens.add(token);
    send(response, answer.status, JSON.stringify(answer.body), false);
  }

  /** Consenting grants what the app registration lists. */
  private answerConsent(response: ServerResponse, url: URL): void {
    const { application, decision } = this;
    const answer = answerConsent(url, { tenantId: this.tenant.id, application, decision });
    if ('body' in answer) return void send(response, answer.status, JSON.stringify(answer.body), false);
    if (decision === 'accept') this.application = { ...application, roles: application.asks ?? application.roles };
    response.writeHead(302, { location: answer.location });
    response.end();
  }

  private answerDiscovery(response: ServerResponse, tenant: string): void {
    const known = tenant === this.tenant.id || tenant === this.tenant.domain;
    if (known) {
      send(response, 200, JSON.stringify(discovery(this.origin, tenant)), false);
      return;
    }
    const description = `AADSTS90002: Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.`;
    send(
      response,
      400,
      JSON.stringify({ error: 'invalid_tenant', error_description: description, error_codes: [90002] }),
      false,
    );
  }

  private authenticate(request: IncomingMessage): void {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new GraphProblem(401, 'InvalidAuthenticationToken', 'Access token is empty.');
    if (!this.tokens.has(token))
      throw new GraphProblem(401, 'InvalidAuthenticationToken', 'Lifetime validation failed, the token is expired.');
  }

  private route(path: string, url: URL, headers: IncomingMessage['headers'], fault: Fault | undefined): string {
    const list = (objects: Iterable<object>, shape: (object: object) => unknown, context: string): string =>
      listPage(objects, shape, { url, headers, fault, context, origin: this.origin });
    if (path === '/v1.0/users') {
      this.need('User.Read.All', 'Directory.Read.All');
      return list(this.tenant.users.values(), userShape(this.tenant, url), 'users');
    }
    const named = /^\/v1\.0\/users\('(.+)'\)$/.exec(path)?.[1];
    if (named !== undefined) {
      this.need('User.Read.All', 'Directory.Read.All');
      return JSON.stringify(userShape(this.tenant, url)(userBy(this.tenant, named.replaceAll("''", "'"))));
    }
    if (path === '/v1.0/groups') {
      this.need('GroupMember.Read.All', 'Group.Read.All', 'Directory.Read.All');
      return list(searchedGroups(this.tenant, url, headers), selected(url), 'groups');
    }
    const delta = /^\/v1\.0\/(users|groups)\/delta$/.exec(path)?.[1];
    if (delta !== undefined) return this.delta(delta as DeltaList, url, headers, fault);
    const memberOf = /^\/v1\.0\/(?:users|groups)\/([^/]+)\/memberOf$/.exec(path)?.[1];
    if (memberOf !== undefined) {
      this.need('GroupMember.Read.All', 'Directory.Read.All');
      return list(groupsOf(this.tenant, memberOf), selected(url, true), 'directoryObjects');
    }
    const reports = /^\/v1\.0\/users\/([^/]+)\/directReports$/.exec(path)?.[1];
    if (reports !== undefined) {
      this.need('User.Read.All', 'Directory.Read.All');
      return list(reportsOf(this.tenant, reports), selected(url, true), 'directoryObjects');
    }
    const deleted = /^\/v1\.0\/directory\/deletedItems\/([^/]+)$/.exec(path)?.[1];
    if (deleted === 'microsoft.graph.user') {
      this.need('User.Read.All', 'Directory.Read.All');
      return list(this.tenant.deletedUsers.values(), selected(url), 'directoryObjects');
    }
    // Source: learn.microsoft.com/graph/api/directory-deleteditems-list and directory-deleteditems-get, checked 2026-11.
    if (deleted === 'microsoft.graph.group') {
      this.need('Group.Read.All', 'Directory.Read.All');
      const groups = [...this.tenant.deletedGroups.values()].map(({ group }) => group);
      return list(groups, selected(url), 'directoryObjects');
    }
    if (deleted !== undefined) {
      const type = this.tenant.deletedGroups.has(deleted) ? 'Group' : 'User';
      this.need(`${type}.Read.All`, 'Directory.Read.All');
      return JSON.stringify(selected(url)(deletedItem(this.tenant, deleted)));
    }
    if (path === '/v1.0/organization') {
      this.need('Organization.Read.All', 'Directory.Read.All');
      return JSON.stringify({
        '@odata.context': `${this.origin}/v1.0/$metadata#organization`,
        value: [selected(url)(organizationOf(this.tenant))],
      });
    }
    if (path === `/v1.0/applications(appId='${this.application.clientId}')`) {
      this.need('Application.Read.All', 'Directory.Read.All');
      const { clientId: appId, passwordCredentials = [] } = this.application;
      return JSON.stringify(selected(url)({ id: randomUUID(), appId, displayName: 'Sluice', passwordCredentials }));
    }
    if (path === '/v1.0/users/$count') return this.count(this.tenant.users.values(), headers);
    const single = objectPath(path);
    if (single?.kind === 'users') return this.answerUser(single, url);
    if (single?.rest === 'members/$count' && this.tenant.groups.has(single.id))
      return this.count(membersOf(this.tenant, single.id), headers);
    const group = /^\/v1\.0\/groups\/([^/]+)(\/members)?$/.exec(path);
    if (group?.[1] === undefined)
      throw new GraphProblem(400, 'BadRequest', `Resource not found for the segment '${path.split('/')[2]}'.`);
    this.need('GroupMember.Read.All', 'Group.Read.All', 'Directory.Read.All');
    const found = this.tenant.groups.get(group[1]);
    if (found === undefined) throw notFound(group[1]);
    if (group[2] === undefined) return JSON.stringify(selected(url)(found));
    // Source: learn.microsoft.com/graph/api/group-list-members, checked 2026-11.
    if (found['visibility'] === 'HiddenMembership') this.need('Member.Read.Hidden');
    return list(membersOf(this.tenant, group[1]), selected(url, true), 'directoryObjects');
  }

  private delta(list: DeltaList, url: URL, headers: IncomingMessage['headers'], fault: Fault | undefined): string {
    this.need(list === 'users' ? 'User.Read.All' : 'GroupMember.Read.All', 'Directory.Read.All');
    if (fault?.kind === 'notAPage') return JSON.stringify({ message: 'a proxy says hello' });
    return deltaPage({
      tenant: this.tenant,
      list,
      url,
      prefer: String(headers['prefer'] ?? ''),
      forgottenBefore: this.forgottenBefore,
      ...this.deltas,
    });
  }

  private need(...roles: readonly string[]): void {
    if (!roles.some((role) => this.application.roles.includes(role)))
      throw new GraphProblem(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  }
}

function sendStatus(response: ServerResponse, { status, retryAfter }: Extract<Fault, { kind: 'status' }>): void {
  if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
  const body =
    status === 429
      ? problem('TooManyRequests', 'Too many requests')
      : problem('ServiceUnavailable', 'Service is unavailable.');
  send(response, status, JSON.stringify(body), false);
}

function send(response: ServerResponse, status: number, body: string, truncated: boolean): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'content-type': 'application/json; odata.metadata=minimal',
    'content-length': bytes.length,
    'request-id': randomUUID(),
    'x-ms-resource-unit': '2',
  });
  if (!truncated) return void response.end(bytes);
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.socket?.destroy());
}
