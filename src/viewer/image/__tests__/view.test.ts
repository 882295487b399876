import { describe, expect, it } from 'vitest';

import { binOf, overview, tileAt, visibleTiles } from '../grid';
import { View } from '../view';

const BOX = { x0: 14850, x1: 18150, y0: 2850, y1: 6150 };
const SIZE = { width: 825, height: 600 };

describe('A view', () => {
  it('that fits shows all of the image', () => {
    const view = View.fit(BOX, SIZE);
    expect(view.visible).toEqual(BOX);
    expect(view.zoom).toBeCloseTo(600 / 3300);
    const corner = view.toScreen({ x: BOX.x0 - 0.5, y: BOX.y1 - 0.5 });
    expect(corner.y).toBeCloseTo(0);
  });

  it('takes pixels to the screen and back, y upwards', () => {
    const view = View.fit(BOX, SIZE).zoomed(3, { x: 100, y: 100 });
    const there = view.toScreen({ x: 16000, y: 4000 });
    const back = view.toImage(there);
    expect(back.x).toBeCloseTo(16000);
    expect(back.y).toBeCloseTo(4000);
    expect(view.toScreen({ x: 16000, y: 4001 }).y).toBeLessThan(there.y);
  });

  it('zooms around the pointer', () => {
    const view = View.fit(BOX, SIZE).zoomed(4);
    const at = { x: 200, y: 150 };
    const before = view.toImage(at);
    const after = view.zoomed(2, at).toImage(at);
    expect(after.x).toBeCloseTo(before.x);
    expect(after.y).toBeCloseTo(before.y);
  });

  it('follows what is pulled, but never loses the image', () => {
    const view = View.fit(BOX, SIZE).zoomedTo(1);
    expect(view.panned(10, 20).center).toEqual({ x: view.center.x - 10, y: view.center.y + 20 });
    expect(view.panned(1e6, 0).visible).not.toBeNull();
  });

  it('that fits still fits in another window, and one that does not keeps its zoom', () => {
    const fit = View.fit(BOX, SIZE);
    expect(fit.resized({ width: 400, height: 400 }).isFit).toBe(true);
    expect(fit.zoomedTo(1).resized({ width: 400, height: 400 }).zoom).toBe(1);
  });

  it('moves just so far that the cursor is seen', () => {
    const view = View.fit(BOX, SIZE).zoomedTo(2);
    expect(view.showing(view.center)).toBe(view);
    const moved = view.showing({ x: view.center.x + 1000, y: view.center.y });
    expect(moved.toScreen({ x: view.center.x + 1000, y: view.center.y }).x).toBeCloseTo(825 - 24);
  });
});

describe('Tiles', () => {
  it('cover an image of any size with one that shows all', () => {
    expect(overview(BOX)).toMatchObject({ bin: 8, box: BOX });
    expect(overview({ x0: 0, x1: 256, y0: 0, y1: 100 }).bin).toBe(1);
  });

  it('have blocks that are no larger than a pixel of the screen', () => {
    const fit = View.fit(BOX, SIZE);
    expect(binOf(fit, 1)).toBe(4);
    expect(binOf(fit, 2)).toBe(2);
    expect(binOf(fit.zoomedTo(1), 1)).toBe(1);
    expect(binOf(fit.zoomedTo(16), 1)).toBe(1);
  });

  it('that are seen cover what is seen, those in the middle first', () => {
    const view = View.fit(BOX, SIZE).zoomedTo(1);
    const tiles = visibleTiles(view, 1);
    const seen = view.visible!;
    for (const x of [seen.x0, seen.x1 - 1]) {
      for (const y of [seen.y0, seen.y1 - 1]) {
        expect(
          tiles.filter(({ box }) => x >= box.x0 && x < box.x1 && y >= box.y0 && y < box.y1)
        ).toHaveLength(1);
      }
    }
    expect(tiles.length).toBeLessThanOrEqual(9);
    const first = tiles[0]!.box;
    expect(view.center.x).toBeGreaterThanOrEqual(first.x0 - 1);
    expect(view.center.x).toBeLessThanOrEqual(first.x1);
  });

  it('at the edge end with the image', () => {
    expect(tileAt(BOX, 1, 6, 6).box).toEqual({ x0: 17922, x1: 18150, y0: 5922, y1: 6150 });
  });
});
