// A parameter that there is not: refused, since an answer as if it were not there would be taken for one to it, and a change
// that was to be held to it would be made without. A method that a path does not take is told from a path that there is not.
// What there is, openapi.yaml says, for all routes in one place.
import type { Request, RequestHandler } from 'express';
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

/** @throws {InputError} `unknown-parameter` with `details.parameters` */
export function refuseUnknownQuery(openapi: AdminParts['openapi']): RequestHandler {
  const routes = routesIn(openapi);
  return (request, _response, next) => {
    const given = Object.keys(request.query);
    if (given.length > 0) refuse(routes, request, given);
    next();
  };
}

/** Behind all routes. @throws {MethodError} with `Allow`, when the path takes other methods */
export function refuseOtherMethods(openapi: AdminParts['openapi']): RequestHandler {
  const routes = routesIn(openapi);
  return (request, response, next) => {
    const methods = routes
      .filter(({ matches }) => matches.test(request.path))
      .map(({ method }) => method.toUpperCase());
    const allowed = new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])));
    if (allowed.size === 0 || allowed.has(request.method) || request.method === 'OPTIONS') {
      next();
      return;
    }
    const list = [...allowed].join(', ');
    response.setHeader('allow', list);
    throw new MethodError(`${request.method} is not for this address, which takes ${list}.`);
  };
}

function refuse(routes: readonly Route[], request: Request, given: readonly string[]): void {
  const asked = request.method === 'HEAD' ? 'get' : request.method.toLowerCase();
  const route = routes.find(({ method, matches }) => method === asked && matches.test(request.path));
  const parameters = route === undefined ? [] : given.filter((name) => !route.names.has(name));
  if (route === undefined || parameters.length === 0) return;
  const named = parameters.map((name) => `"${name.slice(0, 40)}"`).join(', ');
  throw new InputError(`There is nothing here that ${named} could say.`, {
    reason: 'unknown-parameter',
    remedy: route.names.size === 0 ? 'Leave it out.' : `Leave it out, or use one of ${[...route.names].join(', ')}.`,
    details: { parameters },
  });
}

/** A path without placeholders stands before one that would match it too. */
function routesIn({ paths }: AdminParts['openapi']): Route[] {
  return Object.entries((paths ?? {}) as Readonly<Record<string, Readonly<Record<string, Operation>>>>)
    .flatMap(([path, operations]) => Object.entries(operations).map(([method, one]) => ({ path, method, one })))
    .sort((one, other) => placeholdersIn(one.path) - placeholdersIn(other.path))
    .map(({ path, method, one }) => ({
      method,
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
