import { Copy, KeyRound } from 'lucide-react';
import { useList } from '../../api/queries.ts';
import type { App } from '../../api/types.ts';
import { dateTime } from '../../app/format.ts';
import { useLanguage, useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { Empty } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Card, Pairs, Row } from '../../ui/layout.tsx';
import { TokenList } from '../tokens/list.tsx';
import { MakeToken } from '../tokens/make.tsx';
import { WORDS as TOKENS } from '../tokens/words.ts';
import { copy } from './copy.ts';
import { useSees } from './sees.ts';
import { WORDS } from './words.ts';

/** Where an app reads, what it sees there, and the tokens that let it in. */
export function Access({ app }: { readonly app: App }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const sees = useSees();
  const [search, change] = useSearchState();
  const address = `${window.location.origin}/scim/v2`;
  const { userFilter, groupFilter, attributes } = app.scope ?? {};
  const code = (name: string, text: string | undefined) =>
    text === undefined ? [] : [[name, <code key={name}>{text}</code>] as const];
  return (
    <>
      <Card title={t('connection')}>
        <Pairs
          items={[
            [
              t('address'),
              <Row key="address">
                <code>{address}</code>
                <Button small icon={<Copy size={14} />} onClick={() => void copy(address, t('copied'))}>
                  {t('copy')}
                </Button>
              </Row>,
            ],
            [t('sees'), sees(app)],
            ...code(t('userFilter'), userFilter),
            ...code(t('groupFilter'), groupFilter),
            ...code(t('attributes'), attributes?.join(', ')),
            [t('added'), dateTime(app.createdAt, language)],
          ]}
        />
      </Card>
      <Tokens app={app} onMake={() => change({ token: 'new' })} />
      {search['token'] === 'new' ? <MakeToken app={app} onClose={() => change({ token: undefined })} /> : null}
    </>
  );
}

function Tokens({ app, onMake }: { readonly app: App; readonly onMake: () => void }) {
  const t = useT(TOKENS);
  const needs = useNeeds('admin');
  const list = useList('GET /apps/{id}/tokens', { path: { id: app.id } });
  return (
    <Card
      title={t('tokens')}
      flush
      actions={
        <Button look="primary" small icon={<KeyRound size={15} />} off={needs} onClick={onMake}>
          {t('makeToken')}
        </Button>
      }
    >
      <TokenList
        list={list}
        empty={
          <Empty icon={<KeyRound size={26} />} title={t('noTokens')}>
            {t('noTokensText')}
          </Empty>
        }
      />
    </Card>
  );
}
