// What goes wrong between us and a directory server, in words an administrator can act on.
import { ConfigError, CredentialsError, GatewayError, UpstreamError } from '#core/errors.ts';

const LATER_MS = 60_000;

/** Result codes of RFC 4511 section 4.1.9. */
const CODE = {
  success: 0,
  operationsError: 1,
  protocolError: 2,
  timeLimitExceeded: 3,
  sizeLimitExceeded: 4,
  strongerAuthRequired: 8,
  referral: 10,
  adminLimitExceeded: 11,
  confidentialityRequired: 13,
  noSuchObject: 32,
  invalidDnSyntax: 34,
  inappropriateAuthentication: 48,
  invalidCredentials: 49,
  insufficientAccess: 50,
  busy: 51,
  unavailable: 52,
  unwillingToPerform: 53,
} as const;

/** What Active Directory means by the `data` of a refused bind. Source: learn.microsoft.com, "bind failures", checked 2026-11. */
const BIND_DATA: Readonly<Record<string, readonly [string, string]>> = {
  '525': ['There is no such account.', 'Correct bind.dn.'],
  '52e': ['The password is wrong.', 'Save the right one as bind.password.'],
  '530': ['The account may not sign in at this time.', 'Lift the logon hours of the account.'],
  '531': ['The account may not sign in from this machine.', 'Lift the restriction to workstations.'],
  '532': ['The password has expired.', 'Give the account a password that does not expire, and save it.'],
  '533': ['The account is disabled.', 'Enable it.'],
  '701': ['The account has expired.', 'Extend it.'],
  '773': ['The password must be changed before the first use.', 'Change it, and save the new one.'],
  '775': ['The account is locked.', 'Unlock it, and find out who uses a wrong password.'],
};

/** What a refused bind means. */
export function explainBind(code: number, message: string): GatewayError {
  if (code !== CODE.invalidCredentials) return explainResult(code, message, 'bind');
  const data = /\bdata ([0-9a-f]{3,4})\b/i.exec(message)?.[1]?.toLowerCase() ?? '';
  const [what, remedy] = BIND_DATA[data] ?? [
    'The name or the password is wrong.',
    'Check bind.dn and bind.password; the name is a distinguished name, or in Active Directory also user@domain.',
  ];
  return new CredentialsError(`The server refuses to sign us in. ${what}`, {
    failure: 'auth',
    reason: data === '532' || data === '701' ? 'bind-expired' : 'bind-refused',
    remedy,
  });
}

/** What an answer that is no success means. A server's own words are not repeated. */
export function explainResult(code: number, message: string, doing: string): GatewayError {
  const details = { code, doing };
  switch (code) {
    case CODE.strongerAuthRequired:
    case CODE.confidentialityRequired:
      return new ConfigError('The server wants an encrypted connection.', {
        reason: 'encryption-required',
        remedy: 'Use ldaps:// in the URL, or set startTls.',
        details,
      });
    case CODE.noSuchObject:
      return new ConfigError(
        `The server does not have the base of the ${doing}, or does not show it to this account.`,
        {
          reason: 'base-missing',
          remedy: 'Correct the base, or let the account read it.',
          details,
        },
      );
    case CODE.invalidDnSyntax:
      return new ConfigError(`The server does not understand a name (${doing}).`, {
        reason: 'name-refused',
        remedy: 'Correct the base, or bind.dn.',
        details,
      });
    case CODE.insufficientAccess:
    case CODE.inappropriateAuthentication:
      return new CredentialsError(`The account may not do this: ${doing}.`, {
        failure: 'consent',
        reason: 'access-refused',
        remedy: 'Let the account read the entries under the base, with all attributes that the mapping names.',
        details,
      });
    case CODE.operationsError:
      // Active Directory answers so to whoever is not signed in.
      return /bind must be completed/i.test(message)
        ? new CredentialsError('The server shows nothing without signing in.', {
            failure: 'auth',
            reason: 'bind-required',
            remedy: 'Save bind.dn and bind.password.',
            details,
          })
        : serverFailed(code, doing);
    case CODE.referral:
      return new ConfigError(`The base of the ${doing} lies on another server, to which this one refers.`, {
        reason: 'referral',
        remedy: 'Name that server in the URL; referrals are not followed.',
        details,
      });
    case CODE.timeLimitExceeded:
    case CODE.sizeLimitExceeded:
    case CODE.adminLimitExceeded:
      return new UpstreamError(`The server has a limit that the ${doing} exceeds, so it was not read to the end.`, {
        failure: 'source-incomplete',
        reason: 'limit-exceeded',
        remedy: 'Raise the limits of the server for this account, or make limits.pageSize smaller.',
        details,
      });
    default:
      return serverFailed(code, doing);
  }
}

function serverFailed(code: number, doing: string): UpstreamError {
  const isBusy = code === CODE.busy || code === CODE.unavailable;
  return new UpstreamError(`The server fails with the result ${code} (${doing}).`, {
    failure: 'server',
    reason: isBusy ? 'server-busy' : 'server-failed',
    remedy: isBusy
      ? 'Run again later.'
      : 'Look at the log of the directory server; result codes are in RFC 4511, appendix A.',
    ...(isBusy || code === CODE.unwillingToPerform ? { retryAfterMs: LATER_MS } : {}),
    details: { code, doing },
  });
}

/** Codes of Node and OpenSSL for a certificate that cannot be trusted, or that is another host's. */
const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/;

/** What was thrown on the way: a connection refused or broken off, a certificate, a time limit, a refused result. */
export function explainThrown(thrown: unknown, host: string, doing: string): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const code: unknown = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (typeof code === 'number') return explainResult(code, thrown instanceof Error ? thrown.message : '', doing);
  const word = typeof code === 'string' ? code : '';
  if (UNTRUSTED.test(word))
    return new ConfigError(`The certificate of "${host}" is not trusted (${word}).`, {
      reason: 'certificate-untrusted',
      remedy: /ALTNAME/.test(word)
        ? 'Use the name in the URL that the certificate has, or set tls.serverName.'
        : 'Save the authority that issued it as tls.ca, in PEM.',
      cause: thrown,
    });
  if (/ERR_SSL|EPROTO/.test(word))
    return new ConfigError(`"${host}" does not speak TLS there (${word}).`, {
      reason: 'tls-failed',
      remedy: 'Check the port: ldaps:// is usually 636, and ldap:// with startTls is 389.',
      cause: thrown,
    });
  return connectionLost(host, doing, word, thrown);
}

/** The connection is gone, or was never there. What was read by then is not everything. */
export function connectionLost(host: string, doing: string, word = '', cause?: unknown): UpstreamError {
  const isLate = cause instanceof Error && /timed out|timeout/i.test(cause.message);
  const what = isLate ? 'does not answer in time' : 'cannot be reached, or breaks the connection off';
  return new UpstreamError(`"${host}" ${what}${word === '' ? '' : ` (${word})`}: ${doing}.`, {
    failure: 'network',
    reason: isLate ? 'timeout' : 'unreachable',
    remedy: isLate
      ? 'Check the load of the server, or raise limits.requestSeconds.'
      : 'Check the URL, the network, and that the server runs.',
    retryAfterMs: LATER_MS,
    details: { doing },
    cause,
  });
}

/** What is done before anything can be asked. */
export const CONNECTING = { startTls: 'start TLS', signIn: 'sign in' } as const;

/** Whether an answer to this did not come in time, of a server that was there to be asked. */
export function isAnswerLate({ reason, details }: GatewayError): boolean {
  const isConnecting = details['doing'] === CONNECTING.startTls || details['doing'] === CONNECTING.signIn;
  return reason === 'timeout' && !isConnecting;
}

/** A list that the server gives in parts did not come to its end. */
export function incompleteRange(): UpstreamError {
  return new UpstreamError('The server stopped in the middle of the members of a group.', {
    failure: 'source-incomplete',
    reason: 'members-incomplete',
    remedy: 'Run again; the group was changed, or renamed, while it was read.',
    retryAfterMs: LATER_MS,
  });
}

/** A server, or something between, that never comes to the last page. */
export function endlessList(doing: string): UpstreamError {
  return new UpstreamError(`The server sends the same pages, or empty ones, without an end (${doing}).`, {
    failure: 'source-incomplete',
    reason: 'list-endless',
    remedy: 'Run again; if it repeats, look at the directory server, or at what stands between.',
    retryAfterMs: LATER_MS,
  });
}

/** Every entry has an anchor, or none may be missed. */
export function anchorMissing(anchor: string, dn: string): ConfigError {
  return new ConfigError(`An entry has no "${anchor}", by which it would be known for ever.`, {
    reason: 'anchor-missing',
    remedy: `Let the account read "${anchor}", or name another attribute as anchor that every entry has.`,
    details: { dn },
  });
}

/** Without it everybody would count as enabled. */
export function stateHidden(attribute: string, dn: string): ConfigError {
  return new ConfigError(`Accounts do not show "${attribute}" any more, by which it is known who is disabled.`, {
    reason: 'account-state-hidden',
    remedy: `Let the account read "${attribute}"; or say by a rule of your own for "active" who is active.`,
    details: { dn },
  });
}

/** Two entries of one kind with the same id would take turns. */
export function anchorTwice(anchor: string, id: string): ConfigError {
  return new ConfigError(
    `Two entries have the same "${anchor}", which must be different for each: "${id.slice(0, 80)}".`,
    {
      reason: 'anchor-not-unique',
      remedy: 'Name an attribute as anchor that is different for every entry.',
    },
  );
}
