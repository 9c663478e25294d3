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

  const told = (total: number, epoch = 1) => ({ startIndex: 1, size: 100, total, epoch });

  it('are none behind as many as the reader was told that there are', () => {
    const places = makePlaces(() => 0);
    places.note('reader list', 101, reached('ada'));
    places.tell('reader list', told(250));
    places.note('reader list', 201, reached('ben'));
    places.tell('reader other', told(1));
    assert.equal(places.find('reader list', 201)?.place.key, 'ben');
    places.tell('reader list', told(150));
    assert.equal(places.find('reader list', 201), undefined);
    assert.equal(places.find('reader list', 101)?.place.key, 'ada');
  });

  it('are none within a page that was read after somebody wrote', () => {
    const places = makePlaces(() => 0);
    for (const startIndex of [2, 100, 101]) places.note('reader list', startIndex, reached('ada'));
    const found = () => [2, 100, 101].filter((startIndex) => places.find('reader list', startIndex) !== undefined);
    places.tell('reader list', told(250));
    assert.deepEqual(found(), [2, 100, 101]);
    places.tell('reader list', told(250, 2));
    assert.deepEqual(found(), [101]);
  });

  it('are a bounded number, of which the oldest go first', () => {
    const places = makePlaces(() => 0);
    const note = (list: string, startIndex: number): void => {
      places.tell(list, told(10_000));
      places.note(list, startIndex, reached('ada'));
    };
    note('first', 2);
    for (let startIndex = 2; startIndex <= 4_001; startIndex += 1) note('second', startIndex);
    for (let startIndex = 2; startIndex <= 1_001; startIndex += 1) note('third', startIndex);
    assert.equal(places.find('first', 2), undefined);
    places.tell('second', told(10_000));
    assert.notEqual(places.find('second', 2), undefined);
    note('third', 1_002);
    assert.equal(places.find('second', 2), undefined);
    assert.notEqual(places.find('second', 3), undefined);
    assert.notEqual(places.find('third', 2), undefined);
  });
});
