import { useState } from 'react';
import type { Tagged } from '../../api/client.ts';
import { useCall, useGet } from '../../api/queries.ts';
import type { App } from '../../api/types.ts';
import { AppDocument, useAppDraft } from '../../app/conflict/app-draft.tsx';
import { useT } from '../../app/i18n.ts';
import { useLeaveWarning } from '../../app/leave-warning.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { Button } from '../../ui/button.tsx';
import { Chips } from '../../ui/field.tsx';
import { Card, Stack } from '../../ui/layout.tsx';
import { Loaded, Refusal } from '../../ui/loaded.tsx';
import { SaveBar } from '../../ui/save-bar.tsx';
import { toast } from '../../ui/toast.tsx';
import { AttributesView } from './attributes.tsx';
import { CompareView } from './compare.tsx';
import { ConnectionView } from './connection.tsx';
import { LeaversView } from './leavers.tsx';
import {
  bodyOf,
  errorsIn,
  errorsOf,
  type Push,
  pushOf,
  SETTINGS_VIEWS,
  VIEWS,
  type View,
  withPreset,
} from './model.ts';
import { PaceView } from './pace.tsx';
import { isFresh, Ready, StatusView } from './status.tsx';
import { TryView } from './try.tsx';
import { WORDS } from './words.ts';

/** The push target of an app: how it does, its settings, and trying it; or its set-up. */
export function PushTab({ app }: { readonly app: App }) {
  const saved = pushOf(app);
  const presets = useGet('GET /targets/presets', { enabled: saved === undefined });
  if (saved !== undefined)
    return (
      <AppDocument key={app.id} id={app.id}>
        {(whole) => <Existing saved={whole} />}
      </AppDocument>
    );
  return (
    <Loaded query={presets}>
      {({ items }) => (
        <New
          app={app}
          start={withPreset(items.find(({ name }) => name === null)?.settings ?? {}, {
            baseUrl: '',
            auth: { kind: 'bearer' },
          })}
        />
      )}
    </Loaded>
  );
}

const SECTIONS = {
  connection: ConnectionView,
  attributes: AttributesView,
  leavers: LeaversView,
  pace: PaceView,
} as const;

function isSettings(view: View): view is keyof typeof SECTIONS {
  return SETTINGS_VIEWS.includes(view);
}

function useViews(views: readonly View[]) {
  const t = useT(WORDS);
  const [search, change] = useSearchState();
  const view = views.find((name) => name === search['view']) ?? views[0] ?? 'status';
  const chips = (
    <Chips
      label={t('views')}
      value={view}
      onChange={(name) => change({ view: name === views[0] ? undefined : name })}
      options={views.map((name) => [name, t(name)] as const)}
    />
  );
  return { view, chips, go: (name: View) => change({ view: name === views[0] ? undefined : name }) };
}

function New({ app, start }: { readonly app: App; readonly start: Push }) {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  const save = useCall('PATCH /apps/{id}');
  const [value, setValue] = useState(start);
  const [, change] = useSearchState();
  const { view, chips } = useViews(SETTINGS_VIEWS);
  const [refused, setRefused] = useState<Push | undefined>(undefined);
  const errors = errorsIn(save.error, refused, value);
  const known = Object.keys(errorsOf(save.error)).length > 0;
  const Section = isSettings(view) ? SECTIONS[view] : ConnectionView;
  return (
    <>
      {chips}
      <Card
        title={t('newTitle')}
        foot={
          <Button
            look="primary"
            off={needs}
            busy={save.isPending}
            onClick={() =>
              save.mutate(
                { path: { id: app.id }, body: { push: { ...bodyOf(value), paused: true } as never } },
                {
                  onSuccess: () => {
                    toast(t('saved'));
                    change({ view: 'try' });
                  },
                  onError: () => setRefused(value),
                },
              )
            }
          >
            {t('saveDry')}
          </Button>
        }
      >
        <Stack>
          <p>{t('newLead')}</p>
          {known ? null : <Refusal error={save.error} />}
          <Section app={app} value={value} onChange={setValue} errors={errors} />
        </Stack>
      </Card>
    </>
  );
}

/** Of a target that was not started yet, the start as well. */
function FreshTry({ app }: { readonly app: App }) {
  const { data } = useGet('GET /apps/{id}/push', { path: { id: app.id } });
  return (
    <>
      {data !== undefined && isFresh(data) ? <Ready app={app} status={data} /> : null}
      <TryView app={app} />
    </>
  );
}

function Existing({ saved }: { readonly saved: Tagged<App> }) {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  const draft = useAppDraft<Push>({
    saved,
    shape: (app) => pushOf(app) as Push,
    body: (push) => ({ push: bodyOf(push) as never }),
  });
  const { base: app, value, setValue, changed } = draft;
  const { view, chips, go } = useViews(VIEWS);
  useLeaveWarning(changed, ({ search }) => (search as { tab?: string }).tab === 'push');
  const Section = isSettings(view) ? SECTIONS[view] : undefined;
  return (
    <>
      {chips}
      {draft.notice}
      {view === 'status' ? <StatusView app={app} push={pushOf(app) as Push} onGo={go} /> : null}
      {view === 'try' ? <FreshTry app={app} /> : null}
      {view === 'compare' ? <CompareView app={app} /> : null}
      {Section === undefined ? null : (
        <Card title={t(view)}>
          <Stack>
            <Refusal error={draft.error} />
            <Section app={app} value={value} onChange={setValue} errors={errorsIn(draft.error, draft.refused, value)} />
          </Stack>
        </Card>
      )}
      {changed ? (
        <SaveBar text={t('unsaved')}>
          <Button onClick={draft.revert}>{t('revert')}</Button>
          <Button look="primary" off={needs} busy={draft.isPending} onClick={() => draft.save(() => toast(t('saved')))}>
            {t('saveNow')}
          </Button>
        </SaveBar>
      ) : null}
    </>
  );
}
