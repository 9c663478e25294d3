// The socket of one connection to a directory server, and where it led: a name may lead to several servers, one of which
// lags behind another.
import type { LookupAddress } from 'node:dns';
import net, { type LookupFunction } from 'node:net';
import tls from 'node:tls';
import { connectionLost } from './failures.ts';

export interface Sockets {
  readonly options: {
    readonly createConnection: typeof net.connect;
    readonly createSecureConnection: typeof tls.connect;
  };
  /** Leads to the address that the first one is connected to, without asking anybody. */
  readonly sameAddress: LookupFunction;
}

/**
 * Sockets for one connection: a second one is refused.
 * @param lookup where the name of the host leads
 */
export function makeSockets(host: string, lookup: LookupFunction): Sockets {
  let opened = 0;
  let found: LookupAddress | undefined;
  const first = <Socket extends net.Socket>(make: () => Socket): Socket => {
    opened += 1;
    if (opened > 1) throw connectionLost(host, 'the connection was lost');
    const socket = make();
    socket.once('connect', () => {
      const { remoteAddress: address, remoteFamily } = socket;
      if (address !== undefined) found = { address, family: remoteFamily === 'IPv6' ? 6 : 4 };
    });
    return socket;
  };
  const plain = (port: number, name: string) => first(() => net.connect({ port, host: name, lookup }));
  const secure = (portOrOptions: number | tls.ConnectionOptions, name: string, options: tls.ConnectionOptions) =>
    // StartTLS hands over the socket that is there already; the host is what its certificate is held against.
    typeof portOrOptions === 'number'
      ? first(() => tls.connect({ ...options, port: portOrOptions, host: name, lookup, ...hostForName(options) }))
      : tls.connect(portOrOptions);
  return {
    options: {
      createConnection: plain as typeof net.connect,
      createSecureConnection: secure as unknown as typeof tls.connect,
    },
    sameAddress(name, options, callback) {
      if (found === undefined) lookup(name, options, callback);
      else if (options.all === true) callback(null, [found]);
      else callback(null, found.address, found.family);
    },
  };
}

/** Node holds a certificate against `servername` before `host`; an address must not be sent as a name. */
function hostForName({ servername }: tls.ConnectionOptions): tls.ConnectionOptions {
  return servername === undefined ? {} : { servername };
}
