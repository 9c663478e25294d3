// A parameter that there is not: refused, since an answer as if it were not there would be taken for one to it, and a change
// that was to be held to it would be made without. A method that a path does not take is told from a path that there is not.
// What there is, openapi.yaml says, for all routes in one place.
import type { RequestHandler, Response } from 'express';
import { InputError, MethodError } from '#core/errors.ts';
import type { AdminParts } from './parts.ts';

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
}

interface Route {
  readonly method: string;
  readonly matches: RegExp;
  readonly names: ReadonlySet<string>;
}

/** Every list takes these; what is always whole passes over them. */
const OF_ALL_LISTS = ['limit', 'cursor'];

/** @throws {MethodError} with `Allow` @throws {InputError} `unknown-parameter` with `details.parameters` */
export function refuseUnknown(openapi: AdminParts['openapi']): RequestHandler {
  const routes = routesIn(openapi);
  return (request, response, next) => {
    const here = routes.filter(({ matches }) => matches.test(request.path));
    const asked = request.method === 'HEAD' ? 'GET' : request.method;
    const route = here.find(({ method }) => method === asked);
    if (route !== undefined) refuseParameters(route, Object.keys(request.query));
    else if (here.length > 0 && asked !== 'OPTIONS') refuseMethod(asked, here, response);
    next();
  };
}

function refuseMethod(asked: string, here: readonly Route[], response: Response): never {
  const allowed = new Set(here.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])));
  const list = [...allowed].join(', ');
  response.setHeader('allow', list);
  throw new MethodError(`${asked} is not for this address, which takes ${list}.`);
}

function refuseParameters({ names }: Route, given: readonly string[]): void {
  const parameters = given.filter((name) => !names.has(name));
  if (parameters.length === 0) return;
  const named = parameters.map((name) => `"${name.slice(0, 40)}"`).join(', ');
  throw new InputError(`There is nothing here that ${named} could say.`, {
    reason: 'unknown-parameter',
    remedy: names.size === 0 ? 'Leave it out.' : `Leave it out, or use one of ${[...names].join(', ')}.`,
    details: { parameters },
  });
}

/** A path without placeholders stands before one that would match it too. */
function routesIn({ paths }: AdminParts['openapi']): Route[] {
  return Object.entries((paths ?? {}) as Readonly<Record<string, Readonly<Record<string, Operation>>>>)
    .flatMap(([path, operations]) => Object.entries(operations).map(([method, one]) => ({ path, method, one })))
    .sort((one, other) => placeholdersIn(one.path) - placeholdersIn(other.path))
    .map(({ path, method, one }) => ({
      method: method.toUpperCase(),
      matches: new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}/?$`, 'i'),
      names: new Set([...namesOf(one), ...(method === 'get' ? OF_ALL_LISTS : [])]),
    }));
}

function namesOf({ parameters = [] }: Operation): readonly string[] {
  return parameters.filter((one) => one.in === 'query').map(({ name }) => name);
}

function placeholdersIn(path: string): number {
  return path.split('{').length;
}
