import { KeyRound } from 'lucide-react';
import { useList } from '../../api/queries.ts';
import { useT } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { COMMON } from '../../app/words.ts';
import { Empty } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Chips } from '../../ui/field.tsx';
import { Card, Row } from '../../ui/layout.tsx';
import { TokenList } from '../tokens/list.tsx';
import { MakeToken } from '../tokens/make.tsx';
import { WORDS } from '../tokens/words.ts';

/** Every token that there is, whoever it lets in. */
export function TokensTab() {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const needs = useNeeds('admin');
  const [search, change] = useSearchState();
  const tokens = useList('GET /tokens', { query: { state: search['state'] } as never });
  const apps = useList('GET /apps');
  return (
    <Card
      title={t('tokens')}
      note={t('tokensLead')}
      flush
      actions={
        <Row>
          <Chips
            label={t('state')}
            value={search['state'] ?? ''}
            onChange={(state) => change({ state })}
            options={[
              ['', common('all')],
              ['live', t('live')],
              ['over', t('over')],
            ]}
          />
          <Button
            look="primary"
            small
            icon={<KeyRound size={15} />}
            off={needs}
            onClick={() => change({ token: 'new' })}
          >
            {t('makeToken')}
          </Button>
        </Row>
      }
    >
      <TokenList
        list={tokens}
        empty={
          <Empty
            icon={<KeyRound size={26} />}
            title={t('noMatch')}
            action={<Button onClick={() => change({ state: undefined })}>{common('clear')}</Button>}
          />
        }
      />
      {search['token'] === 'new' ? <MakeToken apps={apps.items} onClose={() => change({ token: undefined })} /> : null}
    </Card>
  );
}
