import { describe, expect, it } from 'vitest';

import { dictionary, freeName, listStatement, literal, statement, variableName } from '../literals';

describe('writing Python', () => {
  it('escapes strings so that they stay one literal', () => {
    expect(literal('a "b" \\ c\n')).toBe(String.raw`"a \"b\" \\ c\n"`);
    expect(literal("it's")).toBe(`"it's"`);
    expect(literal('\u0000')).toBe(String.raw`"\u0000"`);
  });

  it('writes identifiers of visits with all their digits', () => {
    expect(dictionary({ visit: 2025120200439 })).toBe('{"visit": 2025120200439}');
  });

  it('leaves a short call on one line', () => {
    expect(statement('x = ', 'f', ['1', 'b=2'])).toBe('x = f(1, b=2)');
  });

  it('breaks a long call once if its arguments fit on a line, else at each of them', () => {
    const some = ['"visit_image"', 'instrument="LSSTCam"', 'visit=2025120200439', 'detector=10'];
    expect(statement('visit_image = ', 'butler.get', some)).toBe(
      'visit_image = butler.get(\n    "visit_image", instrument="LSSTCam", visit=2025120200439, detector=10\n)'
    );
    const many = [...some, 'collections="LSSTCam/runs/DRP/DP2"'];
    expect(statement('    x = ', 'butler.get', many)).toBe(
      '    x = butler.get(\n        "visit_image",\n        instrument="LSSTCam",\n' +
        '        visit=2025120200439,\n        detector=10,\n        collections="LSSTCam/runs/DRP/DP2",\n    )'
    );
  });

  it('breaks a long list', () => {
    const item = 'x'.repeat(50);
    expect(listStatement('a = ', [item, item])).toBe(`a = [\n    ${item},\n    ${item},\n]`);
  });

  it('hides no builtin behind a variable', () => {
    expect(variableName('object', 'table')).toBe('object_table');
    expect(variableName('source', 'table')).toBe('source');
    expect(variableName('lambda', 'value')).toBe('lambda_value');
  });

  it('numbers a name that is taken', () => {
    expect(freeName('a', new Set(['a', 'a_2']))).toBe('a_3');
  });
});
