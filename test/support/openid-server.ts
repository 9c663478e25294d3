// A real OpenID provider on this machine, whose people sign in by saying who they are.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type Configuration } from 'oidc-provider';

export interface OpenIdServer {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  close(): Promise<void>;
}

/** Roles by name of the person. */
type People = Readonly<Record<string, readonly string[]>>;

const CLIENT_ID = 'sluice-console';
const CLIENT_SECRET = 'a-secret-of-the-console';

/** @param redirectUri where the gateway's callback is; asked for when somebody signs in */
export async function startOpenIdServer(people: People, redirectUri: string): Promise<OpenIdServer> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, configuration(people, redirectUri));
  const handle = provider.callback();
  server.on('request', (request, response) => {
    const uid = /^\/interaction\/([\w-]+)$/.exec(request.url ?? '')?.[1];
    if (uid === undefined) handle(request, response);
    else void interact(provider, request, response);
  });
  return {
    issuer,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function configuration(people: People, redirectUri: string): Configuration {
  return {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    claims: { openid: ['sub', 'roles'], profile: ['preferred_username', 'name'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        preferred_username: `${id}@contoso.example`,
        name: id,
        roles: [...(people[id] ?? [])],
      }),
    }),
    cookies: { keys: ['only for tests'] },
    ttl: { AccessToken: 600, IdToken: 600, Interaction: 600, Session: 600, Grant: 600 },
  };
}

type Reply = Parameters<Provider['interactionDetails']>[1];

/** A page with one field; what is posted there is who it is, and consent is given with it. */
async function interact(provider: Provider, request: IncomingMessage, response: Reply): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (request.method !== 'POST' && prompt.name === 'login') {
    response.setHeader('content-type', 'text/html');
    response.end('<form method="post"><label>Who are you? <input name="who"></label><button>Go on</button></form>');
    return;
  }
  const who = request.method === 'POST' ? await whoOf(request) : session?.accountId;
  const grant = new provider.Grant({ accountId: who ?? '', clientId: String(params['client_id']) });
  grant.addOIDCScope('openid profile email');
  const grantId = await grant.save();
  const result = { ...(request.method === 'POST' ? { login: { accountId: who ?? '' } } : {}), consent: { grantId } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

async function whoOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return new URLSearchParams(text).get('who') ?? '';
}
