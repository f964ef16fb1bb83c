import { expect, it } from 'vitest';
import { unknownNames } from '../../../../src/gateway/evaluation/evaluate-tools.ts';

it.each([
  ['listPet', ['listPets', 'addPet'], 'listPets'],
  ['listPets', ['petstore_listPets', 'petstore_addPet'], 'petstore_listPets'],
  ['getOrderByID', ['petstore_listPets', 'petstore_getOrderById'], 'petstore_getOrderById'],
  ['petstore_listPets', ['listPets', 'addPet'], 'listPets'],
  ['travel', ['listPets'], undefined],
  ['x', [], undefined],
])('%s among %j', (name, known, near) => {
  expect(unknownNames([name, name, ...known], known)).toEqual([near === undefined ? { name } : { name, near }]);
});
