import { useState } from 'react';
import { useCall, useGet } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { useNeeds } from '../../app/session.tsx';
import { PROVIDERS } from '../../app/words.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Card, Page, Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { toast } from '../../ui/toast.tsx';
import { ConnectionTest } from './connect.tsx';
import type { Json, Kind } from './model.ts';
import { WORDS } from './words.ts';

/** Settings of a source that has no forms of its own: the document itself, checked by the gateway. */
export function GenericSettings({ kind }: { readonly kind: Kind }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const needs = useNeeds('admin');
  const saved = useGet('GET /providers/{kind}', { path: { kind } });
  const save = useCall('PUT /providers/{kind}');
  const [text, setText] = useState<string | undefined>(undefined);
  const { configVersion: _version, secretsSet: _set, ...settings } = (saved.data ?? {}) as Json;
  const shown = text ?? JSON.stringify(settings, null, 2);
  const value = parsed(shown);
  return (
    <Page title={t('settingsTitle', { name: names(kind) })} lead={t('jsonHint')}>
      <Card
        foot={
          <Button
            look="primary"
            off={value === undefined ? t('jsonWrong') : needs}
            busy={save.isPending}
            onClick={() =>
              save.mutate({ path: { kind }, body: value as never }, { onSuccess: () => toast(t('saved')) })
            }
          >
            {t('save')}
          </Button>
        }
      >
        <Stack>
          <Refusal error={save.error} />
          <TextField
            label={t('json')}
            lines
            mono
            value={shown}
            error={value === undefined ? t('jsonWrong') : undefined}
            onChange={setText}
          />
          {value === undefined ? null : <ConnectionTest kind={kind} settings={value} />}
        </Stack>
      </Card>
    </Page>
  );
}

function parsed(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}
