const PETS = { '/pets': { get: 'listPets List all pets of the shop' }, '/pets/{petId}': { get: 'getPetById One pet by its id' } };

const OTHERS = [
  'refundPayment Refund a payment that was captured, whole or in part',
  'capturePayment Capture an authorised payment',
  'listOrders Orders of a customer, newest first',
  'cancelOrder Cancel an order that has not been shipped',
  'createInvoice Make an invoice for an order',
  'sendInvoice Send an invoice by mail',
  'listInvoices Invoices by month',
  'createCustomer Add a customer',
  'deleteCustomer Remove a customer and all personal data',
  'trackParcel Where a parcel is now',
];
/** More of the same kind, so that the list is a long one. */
const THINGS = [
  'supplier',
  'warehouse',
  'shelf',
  'voucher',
  'campaign',
  'newsletter',
  'review',
  'question',
  'holiday',
  'shift',
  'printer',
  'camera',
];

/** An API with 48 operations, of which those under /pets answer. */
export function shopDocument(): string {
  const paths: Record<string, object> = {};
  const add = (path: string, method: string, line: string): void => {
    const [operationId, ...summary] = line.split(' ');
    paths[path] = { ...paths[path], [method]: { operationId, summary: summary.join(' '), responses: {}, parameters: parametersOf(path) } };
  };
  for (const [path, methods] of Object.entries(PETS)) for (const [method, line] of Object.entries(methods)) add(path, method, line);
  for (const line of OTHERS) add(`/do/${line.split(' ')[0]}`, 'get', line);
  for (const thing of THINGS) {
    const title = thing[0]!.toUpperCase() + thing.slice(1);
    add(`/${thing}`, 'get', `find${title} Find one ${thing} by its name`);
    add(`/${thing}/add`, 'post', `add${title} Add a ${thing}`);
    add(`/${thing}/change`, 'put', `change${title} Change a ${thing}`);
  }
  return JSON.stringify({ openapi: '3.1.0', info: { title: 'Shop', version: '1' }, paths });
}

function parametersOf(path: string): object[] {
  return path.includes('{petId}') ? [{ name: 'petId', in: 'path', required: true, schema: { type: 'integer' } }] : [];
}
