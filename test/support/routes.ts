import type { Router } from 'express';

interface Route {
  readonly path: string | string[];
  readonly stack: readonly { readonly method?: string }[];
}

/** Every route of a router and of those within, as `get /apps/{id}`; `all` stands for whatever method is left. */
export function routesOf(router: Router): string[] {
  return router.stack.flatMap((layer) => {
    if (layer.route === undefined) return 'stack' in layer.handle ? routesOf(layer.handle as unknown as Router) : [];
    const { path, stack } = layer.route as unknown as Route;
    const methods = new Set(stack.map(({ method }) => method ?? 'all'));
    return [path]
      .flat()
      .flatMap((one) => [...methods].map((method) => `${method} ${one.replaceAll(/:(\w+)/g, '{$1}')}`));
  });
}

/** Parts of which a router takes what it likes when it is made, and nothing is ever called. */
export function noParts<Parts extends object>(): Parts {
  const anything: object = new Proxy(() => undefined, {
    get: (_target, name) => (name === Symbol.toPrimitive ? () => '' : anything),
    apply: () => anything,
  });
  return anything as Parts;
}
