import { Copy } from 'lucide-react';
import { useState } from 'react';
import { useGet, useList } from '../../api/queries.ts';
import type { ProviderCard } from '../../api/types.ts';
import { dateTime, relative } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { Pairs, Row, Stack } from '../../ui/layout.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { copy } from '../apps/copy.ts';
import { AccountsSection } from './accounts.tsx';
import { ConnectionTest } from './checks.tsx';
import { FilterField } from './filter-field.tsx';
import type { Forms, SectionProps } from './forms.ts';
import { IdpToken } from './idp-token.tsx';
import { MappingSection } from './later-mapping.tsx';
import type { Json } from './model.ts';
import { type Scim, toScim } from './scim-model.ts';
import { SCIM } from './scim-words.ts';
import css from './setup.module.css';
import { WORDS } from './words.ts';

const bodyOf = (value: Scim): Json => ({ ...value });

/** The address and the token for the identity provider, what to set there, and whether it writes. */
function ConnectSection({ kind, value, onChange }: SectionProps<Scim>) {
  const t = useT(SCIM);
  return (
    <Stack>
      <p>{t('intro')}</p>
      <div className={css.part}>
        <h3>{t('address')}</h3>
        <Address />
      </div>
      <IdpToken appId={value.appId} onChange={(appId) => onChange({ ...value, appId })} />
      <Steps />
      <LastWrite appId={value.appId} />
      <ConnectionTest kind={kind} settings={bodyOf(value)} />
    </Stack>
  );
}

function useScimCard(): ProviderCard | undefined {
  return useGet('GET /providers').data?.items.find(({ kind }) => kind === 'scim');
}

function useBaseUrl(): string {
  return useScimCard()?.writes?.baseUrl ?? '';
}

function Address() {
  const t = useT(SCIM);
  const url = useBaseUrl();
  return (
    <Row>
      <code className={css.copied}>{url}</code>
      <Button icon={<Copy size={15} />} onClick={() => void copy(url, t('copied'))}>
        {t('copyAddress')}
      </Button>
    </Row>
  );
}

const STEPS = {
  entra: ['entra1', 'entra2', 'entra3', 'entra4', 'entra5'],
  okta: ['okta1', 'okta2', 'okta3', 'okta4', 'okta5'],
  other: ['other1', 'other2', 'other3'],
} as const;

/** What to set at the identity provider, in order. */
function Steps() {
  const t = useT(SCIM);
  const [idp, setIdp] = useState<keyof typeof STEPS>('entra');
  const url = useBaseUrl();
  return (
    <div className={css.part}>
      <h3>{t('there')}</h3>
      <Tabs
        label={t('there')}
        value={idp}
        onChange={setIdp}
        tabs={(['entra', 'okta', 'other'] as const).map((name) => ({ name, label: t(name) }))}
      >
        <ol className={css.howTo}>
          {STEPS[idp].map((step) => (
            <li key={step}>{t(step, { url })}</li>
          ))}
        </ol>
      </Tabs>
    </div>
  );
}

/** Whether anything came, from the card of the provider and the tokens of the app; current by the stream. */
function LastWrite({ appId }: { readonly appId: string | null }) {
  const t = useT(SCIM);
  const language = useLanguage();
  const card = useScimCard();
  const lastAt = card?.writes?.lastAt ?? null;
  const tokens = useList('GET /apps/{id}/tokens', { path: { id: appId ?? '' }, enabled: appId !== null });
  const used = tokens.items.flatMap(({ lastUsedAt }) => (lastUsedAt === null ? [] : [lastUsedAt])).toSorted();
  const last = used.at(-1);
  return (
    <div aria-live="polite" className={css.part}>
      <h3>{t('state')}</h3>
      <Pairs
        items={[
          [
            t('activity'),
            card?.active === true ? (
              <Badge key="on" tone="green">
                {t('isActive')}
              </Badge>
            ) : (
              <Badge key="off" tone="grey">
                {t('notActive')}
              </Badge>
            ),
          ],
          [
            t('lastWrite'),
            lastAt === null
              ? t(card?.active === true ? 'noWrite' : 'noWriteYet')
              : `${dateTime(lastAt, language)} (${relative(lastAt, language)})`,
          ],
          [t('lastUse'), last === undefined ? t('notUsed') : relative(last, language)],
        ]}
      />
    </div>
  );
}

function FiltersSection({ kind, value, onChange, errors }: SectionProps<Scim>) {
  const t = useT(WORDS);
  const words = useT(SCIM);
  const set = (changes: Partial<Scim['scope']>): void => onChange({ ...value, scope: { ...value.scope, ...changes } });
  return (
    <Stack>
      <FilterField
        kind={kind}
        label={t('filter')}
        hint={words('filterHint')}
        text={value.scope.filter}
        error={errors['scope.filter']}
        settings={bodyOf(value)}
        onChange={(filter) => set({ filter })}
      />
      <TextField
        label={words('groupFilter')}
        hint={words('groupFilterHint')}
        lines
        mono
        value={value.scope.groupFilter}
        error={errors['scope.groupFilter']}
        onChange={(groupFilter) => set({ groupFilter })}
      />
    </Stack>
  );
}

const WINDOWS = [15, 60, 240, 1_440];

/** A mistake in the identity provider takes away a thousand accounts one by one: they count together. */
function BurstsSection({ value, onChange, errors }: SectionProps<Scim>) {
  const t = useT(SCIM);
  const minutes = value.removalWindowMinutes;
  const choices = WINDOWS.includes(minutes) ? WINDOWS : [...WINDOWS, minutes].toSorted((a, b) => a - b);
  return (
    <Stack>
      <p>{t('burstText')}</p>
      <SelectField
        label={t('window')}
        hint={t('windowHint')}
        value={String(minutes)}
        error={errors['removalWindowMinutes']}
        onChange={(next) => onChange({ ...value, removalWindowMinutes: Number(next) })}
        options={choices.map(
          (n) => [String(n), n % 60 === 0 ? t('hours', { n: n / 60 }) : t('minutes', { n })] as const,
        )}
      />
    </Stack>
  );
}

export const SCIM_FORMS: Forms<Scim> = {
  kind: 'scim',
  pushed: true,
  read: toScim,
  body: bodyOf,
  missing: () => [],
  sections: [
    { name: 'connect', fields: /^appId/, Show: ConnectSection },
    { name: 'filters', fields: /^scope\.(filter|groupFilter)/, Show: FiltersSection },
    { name: 'mapping', fields: /^mapping/, Show: MappingSection },
    { name: 'accounts', fields: /^(scope|adopt|matching)/, Show: AccountsSection },
    { name: 'bursts', fields: /^removalWindow/, Show: BurstsSection },
  ],
};
