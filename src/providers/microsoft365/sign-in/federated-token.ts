import { readFile } from 'node:fs/promises';
import { ConfigError } from '#core/errors.ts';

/** A projected token has one to three kilobytes. */
const BYTES_MAX = 16 * 1024;
/** What Microsoft Entra demands as audience, by cloud. Source: learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations, checked 2026-11. */
const AUDIENCES: ReadonlySet<string> = new Set([
  'api://AzureADTokenExchange',
  'api://AzureADTokenExchangeUSGov',
  'api://AzureADTokenExchangeChina',
]);

/**
 * The token that another identity provider (a Kubernetes cluster, say) leaves in a file, read anew each time: it lives an
 * hour or less. Nothing but a token that was made for this exchange is ever sent.
 * @throws {ConfigError} `token-file-unreadable` or `token-file-wrong`
 */
export async function readFederatedToken(file: string): Promise<string> {
  const text = await readText(file);
  if (text.length <= BYTES_MAX && audiencesOf(text).some((audience) => AUDIENCES.has(audience))) return text;
  throw new ConfigError('The token file does not hold a token for Microsoft Entra.', {
    reason: 'token-file-wrong',
    remedy: 'Let the file hold a token with the audience "api://AzureADTokenExchange", and check credential.tokenFile.',
  });
}

async function readText(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new ConfigError('The token file of the federated credential cannot be read.', {
      reason: 'token-file-unreadable',
      remedy: 'Check credential.tokenFile, and that the gateway may read it.',
      cause,
    });
  }
}

function audiencesOf(token: string): readonly string[] {
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return [];
  try {
    const { aud } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      aud?: unknown;
    };
    return (Array.isArray(aud) ? aud : [aud]).map(String);
  } catch {
    return [];
  }
}
