import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { describeEnvironment } from '#platform/config.ts';
import { makeFolder } from '../support/database.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
/** Those of docs/metrics.md, which test/operations/metrics.test.ts holds to what is exposed; with the parts of histograms. */
const METRICS = new Set(
  [...read('docs/metrics.md').matchAll(/^\| `([a-z_0-9]+)` +\| (\w+) /gm)].flatMap(([, name = '', type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
  ),
);
const named = (expression: string): string[] => expression.match(/\b(?:sluice|nodejs|process)_[a-z_0-9]+/g) ?? [];

interface Container {
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly readinessProbe?: { readonly httpGet: { readonly path: string } };
  readonly livenessProbe?: { readonly httpGet: { readonly path: string } };
}

describe('what is shipped for watching', () => {
  it('alerts only on metrics that there are', () => {
    const { groups } = parse(read('deploy/monitoring/alerts.yaml'));
    const rules: { alert: string; expr: string; annotations: { summary: string; description: string } }[] =
      groups[0].rules;
    assert.ok(rules.length > 15);
    for (const { alert, expr, annotations } of rules) {
      for (const name of named(expr)) assert.ok(METRICS.has(name), `${alert}: ${name}`);
      assert.ok(annotations.summary && annotations.description, alert);
    }
  });

  it('draws only metrics that there are, and draws each of ours', () => {
    const { panels } = JSON.parse(read('deploy/monitoring/dashboard.json'));
    const drawn = new Set<string>(
      panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }: { expr: string }) => named(expr))),
    );
    for (const name of drawn) assert.ok(METRICS.has(name), name);
    const without = [...METRICS].filter((name) => !drawn.has(name) && !/_(bucket|sum|count)$/.test(name));
    assert.deepEqual(without, ['sluice_runs_in_progress']);
    const places = panels.map(({ gridPos: { x, y } }: { gridPos: { x: number; y: number } }) => `${x} ${y}`);
    assert.equal(new Set(places).size, places.length, 'panels lie on one another');
  });
});

describe('what is shipped for running', () => {
  it('sets only variables that the gateway knows', () => {
    const known = new Set(describeEnvironment().map(({ name }) => name));
    const { services } = parse(read('compose.yaml'));
    const manifests = readdirSync(new URL('../../deploy/kubernetes', import.meta.url)).flatMap((file) =>
      parseAllDocuments(read(`deploy/kubernetes/${file}`)).map((document) => document.toJS()),
    );
    const config = manifests.find(({ kind }) => kind === 'ConfigMap');
    const containers = manifests
      .filter(({ kind }) => kind === 'Deployment')
      .flatMap(({ spec }): Container[] => [...spec.template.spec.initContainers, ...spec.template.spec.containers]);
    const set = [
      ...Object.keys(services.gateway.environment),
      ...Object.keys(config.data),
      ...containers.flatMap(({ env = [] }) => env.map(({ name }) => name)),
    ];
    for (const name of set) assert.ok(known.has(name), name);
  });

  it('runs as nobody special on a file system that cannot be written, and is asked whether it lives and is ready', () => {
    for (const role of ['api', 'worker']) {
      const [deployment] = parseAllDocuments(read(`deploy/kubernetes/${role}.yaml`)).map((document) => document.toJS());
      const { securityContext, initContainers, containers, terminationGracePeriodSeconds } =
        deployment.spec.template.spec;
      assert.equal(securityContext.runAsNonRoot, true);
      assert.ok(terminationGracePeriodSeconds >= 35);
      for (const container of [...initContainers, ...containers] as Container[])
        assert.deepEqual(container.securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      const [gateway] = containers as Container[];
      assert.deepEqual(gateway?.env, [{ name: 'ROLE', value: role }]);
      assert.equal(gateway?.livenessProbe?.httpGet.path, '/healthz');
      assert.equal(gateway?.readinessProbe?.httpGet.path, '/readyz');
    }
    const { services } = parse(read('compose.yaml'));
    assert.equal(services.gateway.read_only, true);
  });
});

describe('the image', () => {
  const [console = '', ...others] = read('Dockerfile')
    .split(/^FROM .*$/m)
    .slice(1);
  const copied = (stage: string): string[] =>
    [...stage.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) => names.split(' '));

  it('is made of what there is, and of what is let through', () => {
    const through = new Set([...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, name]) => name));
    for (const name of [console, ...others].flatMap(copied)) {
      assert.ok(existsSync(new URL(`../../${name}`, import.meta.url)), name);
      assert.ok(through.has(name.split('/')[0]), `${name} is not let through by .dockerignore`);
    }
  });

  it('has a console that builds of what its stage has copied', () => {
    const folder = makeFolder();
    for (const name of copied(console))
      cpSync(new URL(`../../${name}`, import.meta.url), join(folder, name), { recursive: true });
    symlinkSync(new URL('../../node_modules', import.meta.url), join(folder, 'node_modules'));
    const [, command = ''] = /^RUN node (\S+)$/m.exec(console) ?? [];
    execFileSync(process.execPath, [command], { cwd: folder, stdio: 'pipe' });
    assert.ok(existsSync(join(folder, 'dist/console/index.html')));
  });
});
