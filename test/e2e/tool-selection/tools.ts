export type Door = 'chat' | 'responses' | 'messages';

/** Thirty tools of a shop, a calendar and a house: name and what each is for. */
export const TOOLS: readonly (readonly [name: string, description: string])[] = [
  ['list_invoices', 'List the invoices of a customer'],
  ['send_invoice', 'Send an invoice to a customer by mail'],
  ['refund_payment', 'Refund a payment to the card that paid it'],
  ['create_coupon', 'Create a coupon for a discount'],
  ['list_disputes', 'List disputed charges'],
  ['pay_out', 'Pay the balance out to a bank account'],
  ['create_customer', 'Create a customer with name and address'],
  ['delete_customer', 'Delete a customer and all that is known of them'],
  ['cancel_subscription', 'Cancel a subscription at the end of its period'],
  ['change_plan', 'Move a subscription to another plan'],
  ['create_event', 'Put an event into the calendar'],
  ['move_event', 'Move an event of the calendar to another day'],
  ['list_events', 'List the events of a week'],
  ['invite_guest', 'Invite somebody to an event'],
  ['find_free_time', 'Find a time at which all guests are free'],
  ['set_reminder', 'Set a reminder for a task'],
  ['book_room', 'Book a meeting room'],
  ['cancel_room', 'Give a meeting room back'],
  ['set_timezone', 'Set the time zone of the calendar'],
  ['share_calendar', 'Share a calendar with a colleague'],
  ['switch_lamp', 'Switch a lamp on or off'],
  ['dim_lamp', 'Set the brightness of a lamp'],
  ['set_thermostat', 'Set the temperature of a room'],
  ['lock_door', 'Lock the front door'],
  ['open_garage', 'Open the garage'],
  ['start_vacuum', 'Start the vacuum cleaner'],
  ['play_music', 'Play music on a speaker'],
  ['pause_music', 'Pause the music'],
  ['camera_snapshot', 'Take a picture with a camera'],
  ['water_garden', 'Water the garden for some minutes'],
];

const SCHEMA = { type: 'object', properties: { id: { type: 'string', description: 'Which one' } } };

/** The thirty in the format of a door. */
export function toolsOf(door: Door): Record<string, unknown>[] {
  return TOOLS.map(([name, description]) => {
    if (door === 'messages') return { name, description, input_schema: SCHEMA };
    if (door === 'responses') return { type: 'function', name, description, parameters: SCHEMA, strict: false };
    return { type: 'function', function: { name, description, parameters: SCHEMA } };
  });
}

export const PATHS: Readonly<Record<Door, string>> = { chat: '/v1/chat/completions', responses: '/v1/responses', messages: '/v1/messages' };

/** A request for `text` with all thirty. */
export function requestOf(door: Door, model: string, text: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const asked = [{ role: 'user', content: text }];
  const base = { model, tools: toolsOf(door) };
  if (door === 'responses') return { ...base, input: asked, store: false, ...more };
  return { ...base, messages: asked, ...(door === 'messages' && { max_tokens: 500 }), ...more };
}
