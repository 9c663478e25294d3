import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makePlaces } from '#scim/places.ts';

describe('places at which pages end', () => {
  const reached = (key: string | null) => ({ place: { key, pos: '7' }, epoch: 1, shift: 0 });

  it('are found by the list and the index, however long the filter is', () => {
    const places = makePlaces(() => 0);
    const list = (end: string): string => `reader ${'x'.repeat(16_384)}${end}`;
    places.note(list('a'), 101, reached('ada'));
    assert.equal(places.find(list('a'), 101)?.place.key, 'ada');
    assert.equal(places.find(list('b'), 101), undefined);
    assert.equal(places.find(list('a'), 201), undefined);
  });

  it('are not kept where what the list is sorted by is very long', () => {
    const places = makePlaces(() => 0);
    places.note('reader list', 101, reached('x'.repeat(1_000)));
    places.note('reader list', 201, reached('x'.repeat(1_001)));
    assert.notEqual(places.find('reader list', 101), undefined);
    assert.equal(places.find('reader list', 201), undefined);
  });

  it('are none behind as many as the reader was told that there are', () => {
    const places = makePlaces(() => 0);
    places.note('reader list', 101, reached('ada'));
    places.tell('reader list', 250);
    places.note('reader list', 201, reached('ben'));
    places.tell('reader list', 250);
    places.tell('reader other', 1);
    assert.equal(places.find('reader list', 201)?.place.key, 'ben');
    places.tell('reader list', 150);
    assert.equal(places.find('reader list', 201), undefined);
    assert.equal(places.find('reader list', 101)?.place.key, 'ada');
  });
});
